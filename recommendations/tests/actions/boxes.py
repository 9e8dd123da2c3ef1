"""What a stand-in stash-box says of somebody whom the library lacks."""

from datetime import UTC, datetime

from demo.stashbox.rows import BodyModification, BoxUrl, Performer, Studio, Tag

MOMENT = datetime(2025, 1, 1, tzinfo=UTC)
ANNA = "5d6d6b8a-0c1c-4b0e-9a0c-7a2f6c0f3f11"
MOTHER = "0b9d9c52-41f1-4bfb-bb8b-2a6a5b6a0001"


def anna(**fields):
    """Return somebody of whom everything is said."""
    return Performer(
        ANNA,
        MOMENT,
        MOMENT,
        **{
            "name": "Anna Nueva",
            "disambiguation": "the actress",
            "aliases": ["Ann", "anna nueva", "名前"],
            "gender": "FEMALE",
            "urls": [BoxUrl("https://a.example"), BoxUrl("https://b.example")],
            "birth_date": "1990-01-02",
            "ethnicity": "MIDDLE_EASTERN",
            "country": "NL",
            "eye_color": "GREY",
            "hair_color": "BLONDE",
            "height": 170,
            "cup_size": "C",
            "band_size": 34,
            "waist_size": None,
            "hip_size": 36,
            "breast_type": "FAKE",
            "career_start_year": 2010,
            "career_end_year": 2020,
            "tattoos": [BodyModification("Arm", "rose")],
            "images": ["first-picture"],
            **fields,
        },
    )


def mother(**fields):
    """Return a studio that is another one's parent."""
    urls = [BoxUrl("https://mother.example")]
    values = {"name": "Mother Studio", "urls": urls, **fields}
    return Studio(MOTHER, MOMENT, MOMENT, **values)


def tag(id, **fields):
    return Tag(id, MOMENT, MOMENT, **fields)
