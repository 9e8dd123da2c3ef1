"""What all actions share: who may act, one at a time, and what is kept of it."""

import threading

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from demo.stash.testing import Faults
from recommendations.decisions import Person, claimed, dismiss
from recommendations.exceptions import RecommendationClaimed
from recommendations.models import ActionRecord, Recommendation
from recommendations.stash_actions.acting import (
    ActionAsker,
    ActionContext,
    Deed,
    acting,
)
from recommendations.tests.actions.world import (
    act,
    changed,
    done,
    linked,
    mutations,
    recommend,
    records,
    refused,
    snapshot,
    somebody,
    told_of,
)
from stashsense.tests.signing import SigningClient

ACTIONS = [
    "merge-performers", "delete-scene-files", "merge-scenes", "delete-scene",
    "update-performer", "update-tag", "update-studio", "update-scene",
    "create-performer", "create-tag", "create-studio", "link-entity",
    "accept-fingerprint-match", "accept-all-fingerprint-matches",
]  # fmt: skip
PATHS = [
    *(f"/recommendations/actions/{name}" for name in ACTIONS),
    "/recommendations/actions/search-entities",
    "/stash/create-performer",
    "/stash/link-performer",
]


@pytest.fixture
def row(library):
    return recommend("upstream_performer_changes", "1", target_type="performer")


def rename(**more):
    return {"performer_id": "1", "fields": {"height": 170}, **more}


@pytest.mark.django_db
@pytest.mark.parametrize("path", PATHS)
def test_strangers_are_kept_out(client, stash, path):
    response = client.post(path, {}, content_type="application/json")

    assert response.status_code == 401
    assert stash.requests == []


@pytest.mark.django_db
def test_of_staff_those_act_who_may(client, stash, row):
    client.force_login(somebody("guest"))
    assert act(client, "update-performer", **rename()).status_code == 403
    client.force_login(somebody("tidier", "act_on_recommendations"))
    assert act(client, "update-performer", **rename()).status_code == 200

    record = ActionRecord.objects.get()
    assert record.user == User.objects.get(username="tidier")


@pytest.mark.django_db
@pytest.mark.parametrize("path", [p for p in PATHS if "accept-all" not in p])
@pytest.mark.parametrize("body", [{}, [], {"scene_id": {}, "performer_id": []}])
def test_a_body_that_says_nothing_is_invalid(api, stash, path, body):
    response = api.post(path, body, content_type="application/json")

    assert response.status_code == 422
    assert response.json()["code"] == "invalid"
    assert stash.requests == []


@pytest.mark.django_db
def test_without_a_stash_nothing_is_begun(api, settings, row):
    settings.STASH_URL = ""

    refused(
        api,
        *("update-performer", 400, "stash_not_configured"),
        **rename(recommendation_id=row.pk),
    )

    assert records() == []
    assert told_of(row) == ("pending", "")


@pytest.mark.django_db
def test_an_unknown_recommendation_is_not_found(api, stash):
    refused(
        api,
        *("update-performer", 404, "recommendation_not_found"),
        **rename(recommendation_id=999),
    )

    assert stash.requests == []


@pytest.mark.django_db
@pytest.mark.parametrize("more", [{}, {"dry_run": True}])
def test_what_was_decided_before_is_not_acted_on(api, stash, row, more):
    dismiss(row, person=Person())

    refused(
        api,
        *("update-performer", 409, "recommendation_closed"),
        **rename(recommendation_id=row.pk, **more),
    )

    assert stash.requests == []


@pytest.mark.django_db
def test_who_comes_second_is_told_who_was_first_and_what_they_did(
    api, client, stash, row
):
    client.force_login(somebody("first", "act_on_recommendations"))
    done(client, "update-performer", **rename(recommendation_id=row.pk))

    answer = refused(
        api,
        *("update-performer", 409, "recommendation_closed"),
        **rename(recommendation_id=row.pk),
    )

    assert (answer["acted_by"], answer["action"]) == ("first", "update-performer")
    assert answer["acted_at"]
    assert len(mutations(stash)) == 1


@pytest.mark.django_db
def test_what_the_plugin_did_is_kept_and_told_as_its_own(api, stash, row):
    plugin = SigningClient()
    done(plugin, "update-performer", **rename(recommendation_id=row.pk))

    answer = refused(
        api,
        *("update-performer", 409, "recommendation_closed"),
        **rename(recommendation_id=row.pk),
    )

    assert answer["acted_by"] == "plugin"
    assert ActionRecord.objects.get().get_asked_by_display() == "Stash plugin"


@pytest.mark.django_db
def test_what_somebody_holds_is_not_acted_on(api, stash, row):
    with claimed(row):
        refused(
            api,
            *("update-performer", 409, "recommendation_claimed"),
            **rename(recommendation_id=row.pk),
        )

    assert stash.requests == []


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_wins_and_the_other_is_told(api, stash, library, row):
    """The first is held up where Stash is about to change something."""
    reached, go_on = threading.Event(), threading.Event()
    answers = []

    def hold():
        reached.set()
        assert go_on.wait(60)

    def first():
        try:
            headers = {"X-Api-Key": api.defaults["HTTP_X_API_KEY"]}
            client = Client(headers=headers)
            body = rename(recommendation_id=row.pk)
            answers.append(act(client, "update-performer", **body).status_code)
        finally:
            connection.close()

    stash.faults = Faults(meanwhile={"PerformerUpdate": hold})
    thread = threading.Thread(target=first)
    thread.start()
    assert reached.wait(60)
    answer = refused(
        api,
        *("update-performer", 409, "recommendation_claimed"),
        **rename(recommendation_id=row.pk),
    )
    go_on.set()
    thread.join(60)

    assert answers == [200]
    assert (answer["acted_by"], answer["action"]) == ("user", "update-performer")
    assert records() == [("update-performer", "done")]
    assert told_of(row) == ("resolved", "update-performer")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("faults", "status", "code"),
    [
        (Faults(status=401), 502, "stash_unauthorized"),
        (Faults(html="<p>A proxy."), 502, "stash_error"),
        (
            Faults(meanwhile={"PerformerUpdate": lambda: "the reason"}),
            502,
            "stash_error",
        ),
    ],
    ids=["key", "proxy", "refusal"],
)
def test_a_refusal_of_stash_leaves_it_pending_for_the_next(
    api, stash, library, row, faults, status, code
):
    before = snapshot(library)
    stash.faults = faults

    answer = refused(
        api,
        *("update-performer", status, code),
        **rename(recommendation_id=row.pk),
    )

    assert changed(library, before) == set()
    assert told_of(row) == ("pending", "")
    row.refresh_from_db()
    assert row.claimed_until is None
    record = ActionRecord.objects.get()
    assert (record.state, record.error) == ("failed", answer["detail"])
    stash.faults = Faults()
    done(api, "update-performer", **rename(recommendation_id=row.pk))
    assert told_of(row) == ("resolved", "update-performer")


@pytest.mark.django_db
def test_a_change_whose_answer_was_lost_is_not_sent_twice(api, stash, library, row):
    def cut():
        stash.faults.drop_after_bytes.append(0)

    stash.faults.meanwhile["PerformerUpdate"] = cut

    refused(
        api,
        *("update-performer", 503, "stash_unreachable"),
        **rename(recommendation_id=row.pk),
    )

    assert mutations(stash) == ["PerformerUpdate"]
    assert told_of(row) == ("pending", "")


@pytest.mark.django_db
def test_what_was_cut_off_stays_begun_and_others_may_act(stash, row):
    asker = ActionAsker(ActionRecord.Asker.COMMAND)
    context = ActionContext(asker=asker, recommendation_id=row.pk)
    deed = Deed("update-performer", "performer", "1", lambda _: True)

    def die():
        with acting(context, deed) as held:
            held.begin({"changes": {}}, None)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        die()

    assert records() == [("update-performer", "begun")]
    row.refresh_from_db()
    assert (row.status, row.claimed_until) == ("pending", None)


@pytest.mark.django_db
def test_a_long_action_keeps_others_out_as_long_as_it_gets_on(stash, row):
    context = ActionContext(
        asker=ActionAsker(ActionRecord.Asker.COMMAND), recommendation_id=row.pk
    )
    deed = Deed("update-performer", "performer", "1", lambda _: True)

    with acting(context, deed) as held:
        Recommendation.objects.update(claimed_until=timezone.now())
        held.did("A step.")
        with pytest.raises(RecommendationClaimed), claimed(row):
            pass

    assert told_of(row) == ("resolved", "update-performer")


@pytest.mark.django_db
def test_a_scene_that_cannot_be_looked_for_is_not_taken_for_gone(api, stash, library):
    row = recommend("upstream_scene_changes", "1", target_type="scene")

    def go():
        stash.faults.status = 401
        return "performer with id 77 not found"

    stash.faults.meanwhile["BulkSceneUpdate"] = go

    refused(
        api,
        *("update-scene", 404, "stash_not_found"),
        scene_id="1",
        add_performer_ids=["77"],
    )

    assert told_of(row) == ("pending", "")
    assert records() == [("update-scene", "failed")]


@pytest.mark.django_db
def test_secrets_are_in_no_record_and_no_answer(api, stash, library, row, settings):
    stash.api_key = settings.STASH_API_KEY = "a-key-of-stash"
    library.performers["1"].stash_ids = [linked("x")]

    answer = done(api, "update-performer", **rename(recommendation_id=row.pk))

    record = ActionRecord.objects.get()
    assert "a-key-of-stash" not in str([answer, record.before, record.after])


@pytest.mark.django_db
def test_a_tags_fields_are_written(api, stash, library):
    library.tags["1"].aliases = ["old"]
    library.tags["3"].aliases = ["taken"]
    before = snapshot(library)

    answer = done(
        api,
        "update-tag",
        tag_id="1",
        fields={"name": "New", "description": "D", "_alias_add": ["Tag 1", "TAKEN"]},
    )

    tag = library.tags["1"]
    assert (tag.name, tag.description) == ("New", "D")
    assert tag.aliases == ["old", "Tag 1"]
    assert answer["refused_aliases"][0]["used_by"]["id"] == "3"
    assert changed(library, before) == {("tags", "1")}


@pytest.mark.django_db
def test_a_tags_name_that_is_anothers_is_told(api, stash, library):
    row = recommend("upstream_tag_changes", "1", target_type="tag")

    answer = refused(
        api,
        *("update-tag", 409, "name_collision"),
        tag_id="1",
        fields={"name": "TAG 2"},
        recommendation_id=row.pk,
    )

    assert answer["entity"]["id"] == "1"
    assert answer["others"][0]["id"] == "2"
    assert told_of(row) == ("pending", "")


@pytest.mark.django_db
def test_many_aliases_of_a_tag_are_looked_up_together(api, stash, library):
    library.tags["4"].aliases = ["alias 70"]
    aliases = [f"Alias {number}" for number in range(10_000)]

    answer = done(api, "update-tag", tag_id="1", fields={"aliases": aliases})

    assert len(library.tags["1"].aliases) == 9_999
    assert [each["alias"] for each in answer["refused_aliases"]] == ["Alias 70"]
    assert len(stash.graphql_requests()) < 10


@pytest.mark.django_db
def test_a_studios_fields_are_written(api, stash, library, version):
    before = snapshot(library)
    urls = ["https://a.example", "https://b.example"]

    answer = done(
        api,
        "update-studio",
        studio_id="1",
        fields={"name": "Ünser Studio", "urls": urls, "details": "Long"},
    )

    studio = library.studios["1"]
    assert (studio.name, studio.details) == ("Ünser Studio", "Long")
    has_urls = version >= (0, 30)
    assert studio.urls == (urls if has_urls else urls[:1])
    assert answer["not_kept"] == ([] if has_urls else ["urls"])
    assert changed(library, before) == {("studios", "1")}


@pytest.mark.django_db
@pytest.mark.usefixtures("version")
def test_an_url_that_stays_is_not_lost_where_there_is_place_for_one(
    api, stash, library
):
    studio = library.studios["1"]
    studio.urls = ["https://own.example"]

    urls = ["https://b.example", "https://own.example"]
    done(api, "update-studio", studio_id="1", fields={"urls": urls})

    assert "https://own.example" in studio.urls


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "field", "read"),
    [
        ("performer", "country", "PerformerRowByIds"),
        ("tag", "description", "TagRowByIds"),
        ("studio", "details", "StudioRowByIds"),
        ("scene", "details", "FullSceneByIds"),
    ],
)
def test_what_was_done_is_done_even_if_it_cannot_be_read_then(
    api, stash, library, kind, field, read
):
    row = recommend(f"upstream_{kind}_changes", "1", target_type=kind)
    answers = iter([None])
    stash.faults.meanwhile[read] = lambda: next(answers, "the database is locked")

    answer = done(
        api,
        f"update-{kind}",
        **{f"{kind}_id": "1", "fields": {field: "NL"}, "recommendation_id": row.pk},
    )

    assert answer[kind]["id"] == "1"
    assert told_of(row) == ("resolved", f"update-{kind}")
    (record,) = ActionRecord.objects.all()
    assert record.state == "done"
    assert "the database is locked" in record.after["unread"]
