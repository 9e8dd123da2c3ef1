"""Galleries are kept as scenes are, and what the owner says of people is."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("recognition", "0008_decisions"),
    ]

    operations = [
        migrations.AddField(
            model_name="fingerprint",
            name="image_ids",
            field=models.JSONField(
                default=list,
                help_text="Of a gallery: the images that the frames of its faces number.",
            ),
        ),
        migrations.AddField(
            model_name="fingerprint",
            name="is_match_due",
            field=models.BooleanField(
                default=False,
                help_text="The owner's corrections are not in its people yet.",
                verbose_name="to be matched again",
            ),
        ),
        migrations.AlterField(
            model_name="fingerprint",
            name="kind",
            field=models.CharField(
                choices=[
                    ("scene", "Scene"),
                    ("image", "Image"),
                    ("gallery", "Gallery"),
                ],
                max_length=8,
            ),
        ),
        migrations.CreateModel(
            name="Correction",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("scene", "Scene"),
                            ("image", "Image"),
                            ("gallery", "Gallery"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "stash_id",
                    models.PositiveBigIntegerField(verbose_name="id in Stash"),
                ),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("reject", "is not"),
                            ("name", "is"),
                            ("ignore", "is nobody I want to know"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "universal_id",
                    models.CharField(
                        blank=True,
                        help_text="endpoint:id, or local:id for a performer of this Stash alone.",
                        max_length=128,
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=255)),
                (
                    "local_performer_id",
                    models.PositiveBigIntegerField(blank=True, null=True),
                ),
                ("made_by", models.CharField(max_length=150, verbose_name="by")),
                ("made_at", models.DateTimeField(auto_now_add=True, verbose_name="at")),
                ("undone_by", models.CharField(blank=True, max_length=150)),
                ("undone_at", models.DateTimeField(blank=True, null=True)),
                (
                    "network_set",
                    models.CharField(max_length=64, verbose_name="networks"),
                ),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("positions", models.JSONField(default=list)),
                ("places", models.JSONField(default=list)),
                ("vectors", models.BinaryField()),
                (
                    "superseded_by",
                    models.ForeignKey(
                        blank=True,
                        help_text="The later correction that contradicts this one, and undid it.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="superseded",
                        to="recognition.correction",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(
                        fields=["kind", "stash_id"], name="recognition_kind_4ab67f_idx"
                    )
                ],
            },
        ),
    ]
