"""Evaluations of names on this library, reviews of them, and adopted calibrations."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recognition', '0010_people_groups'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='libraryrun',
            name='kind',
            field=models.CharField(choices=[('identify', 'Identify'), ('rematch', 'Match again'), ('evaluate', 'Evaluate')], max_length=16),
        ),
        migrations.CreateModel(
            name='Evaluation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sample_size', models.PositiveIntegerField(help_text='Of each kind, at most.')),
                ('kinds', models.JSONField(default=list)),
                ('may_decode', models.BooleanField(default=False, verbose_name='decode what is missing')),
                ('seed', models.PositiveIntegerField(default=0)),
                ('is_sampled', models.BooleanField(default=False)),
                ('release_version', models.CharField(blank=True, max_length=64, verbose_name='release')),
                ('network_set', models.CharField(blank=True, max_length=64, verbose_name='networks')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='evaluation', to='recognition.libraryrun')),
            ],
            options={
                'ordering': ['-pk'],
                'get_latest_by': 'pk',
            },
        ),
        migrations.CreateModel(
            name='EvaluatedItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('kind', models.CharField(choices=[('scene', 'Scene'), ('image', 'Image'), ('gallery', 'Gallery')], max_length=8)),
                ('stash_id', models.PositiveBigIntegerField(verbose_name='id in Stash')),
                ('title', models.TextField(blank=True)),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('evaluated', 'Evaluated'), ('skipped', 'Skipped')], default='pending', max_length=16)),
                ('reason', models.TextField(blank=True, verbose_name='why it was skipped')),
                ('tagged', models.JSONField(default=list)),
                ('source', models.CharField(blank=True, max_length=16)),
                ('people', models.JSONField(default=dict)),
                ('evaluation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='recognition.evaluation')),
            ],
            options={
                'ordering': ['evaluation', 'number'],
                'constraints': [models.UniqueConstraint(fields=('evaluation', 'kind', 'stash_id'), name='recognition_one_evaluated_item_each')],
            },
        ),
        migrations.CreateModel(
            name='ReviewedName',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('scene', 'Scene'), ('image', 'Image'), ('gallery', 'Gallery')], max_length=8)),
                ('stash_id', models.PositiveBigIntegerField(verbose_name='id in Stash')),
                ('universal_id', models.CharField(max_length=128)),
                ('verdict', models.CharField(choices=[('tag_missing', 'The name is right, the tag is missing'), ('name_wrong', 'The name is wrong'), ('cannot_tell', 'Cannot tell')], max_length=16)),
                ('reviewed_at', models.DateTimeField(auto_now=True)),
                ('reviewed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('kind', 'stash_id', 'universal_id'), name='recognition_one_review_each')],
            },
        ),
        migrations.CreateModel(
            name='StoredCalibration',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mode', models.CharField(max_length=16)),
                ('origin', models.CharField(choices=[('shipped', 'Shipped'), ('library', 'Library')], max_length=16)),
                ('scores', models.JSONField(default=list, help_text='Of the curve; empty: shipped.')),
                ('probabilities', models.JSONField(default=list)),
                ('known_score', models.FloatField(blank=True, help_text='From here on a person is named.', null=True)),
                ('uncertain_score', models.FloatField(blank=True, help_text='From here on performers are proposed.', null=True)),
                ('sample_size', models.PositiveIntegerField(default=0, help_text='Scenes, images and galleries.', verbose_name='items evaluated')),
                ('network_set', models.CharField(blank=True, help_text='It holds for these alone.', max_length=64, verbose_name='networks')),
                ('is_active', models.BooleanField(default=False, verbose_name='in force')),
                ('adopted_at', models.DateTimeField(auto_now_add=True)),
                ('adopted_by', models.ForeignKey(blank=True, help_text='Nobody: a program with the API key.', null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_active', True)), fields=('mode',), name='recognition_one_active_calibration_each')],
            },
        ),
    ]
