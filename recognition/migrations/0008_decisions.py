"""Whether somebody seen has a name; those kept so far had one or were unknown."""

from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def tell_the_known(apps: Apps, _: BaseDatabaseSchemaEditor) -> None:
    people = apps.get_model("recognition", "FingerprintPerson").objects
    people.exclude(universal_id="").update(decision="known")


class Migration(migrations.Migration):
    dependencies = [("recognition", "0007_evidence")]

    operations = [
        migrations.AddField(
            model_name="fingerprintperson",
            name="decision",
            field=models.CharField(
                choices=[
                    ("known", "known"),
                    ("uncertain", "uncertain"),
                    ("unknown", "unknown"),
                    ("ignored", "ignored"),
                ],
                default="unknown",
                max_length=16,
            ),
        ),
        migrations.RunPython(tell_the_known, migrations.RunPython.noop),
    ]
