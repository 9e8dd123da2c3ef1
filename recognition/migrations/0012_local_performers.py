"""Performers of the library, their faces, and which of them results are of."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('recognition', '0011_evaluations'),
    ]

    operations = [
        migrations.CreateModel(
            name='LocalIndex',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('network_set', models.CharField(max_length=64, unique=True, verbose_name='networks')),
                ('key', models.UUIDField(default=uuid.uuid4)),
                ('revision', models.CharField(max_length=32)),
                ('changed_at', models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.CreateModel(
            name='LocalPerformer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stash_id', models.PositiveBigIntegerField(unique=True, verbose_name='id in Stash')),
                ('name', models.CharField(max_length=255)),
                ('state', models.CharField(choices=[('learnt', 'Learnt'), ('no_faces', 'No usable pictures'), ('left_out', 'Left out')], default='no_faces', max_length=16)),
                ('learnt_from', models.CharField(blank=True, help_text='What Stash told of them, and with which networks, when their pictures were looked at. Empty: they are looked at by the next run.', max_length=128)),
                ('synced_at', models.DateTimeField(blank=True, null=True, verbose_name='pictures looked at')),
            ],
            options={
                'ordering': ['name', 'pk'],
            },
        ),
        migrations.AddField(
            model_name='fingerprint',
            name='local_revision',
            field=models.CharField(blank=True, help_text='Which of them it was matched with; empty: with none.', max_length=32, verbose_name='local performers'),
        ),
        migrations.AlterField(
            model_name='libraryrun',
            name='asked_by',
            field=models.CharField(choices=[('admin', 'Admin'), ('api', 'API'), ('command', 'Command'), ('release', 'a new release'), ('schedule', 'Schedule')], max_length=16),
        ),
        migrations.AlterField(
            model_name='libraryrun',
            name='kind',
            field=models.CharField(choices=[('identify', 'Identify'), ('rematch', 'Match again'), ('evaluate', 'Evaluate'), ('local', 'Learn local performers')], max_length=16),
        ),
        migrations.CreateModel(
            name='LocalFace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(choices=[('picture', 'their picture'), ('image', 'an image of them alone'), ('person', 'somebody named by the owner')], max_length=16)),
                ('source_id', models.CharField(max_length=128)),
                ('network_set', models.CharField(max_length=64, verbose_name='networks')),
                ('facenet', models.BinaryField()),
                ('arcface', models.BinaryField()),
                ('quality', models.FloatField()),
                ('performer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='faces', to='recognition.localperformer')),
            ],
            options={
                'indexes': [models.Index(fields=['source', 'source_id'], name='recognition_source_187271_idx'), models.Index(fields=['network_set', 'performer'], name='recognition_network_bb62f5_idx')],
            },
        ),
    ]
