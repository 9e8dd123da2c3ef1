"""manage.py download_models: get model files, or look whether they are intact."""

from typing import TYPE_CHECKING, Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognition import model_files
from recognition.model_downloads import Asker, install
from recognition.model_files import FileState, PublishedFile
from recognition.models import ModelDownload
from stashsense.terminal import byte_bar, errors_as_sentences, show_bytes

if TYPE_CHECKING:
    from tqdm import tqdm

ASKER = Asker(ModelDownload.Asker.COMMAND)


class Command(BaseCommand):
    help = (
        "Download model files and verify them; without a name, list what there is. "
        "What is intact already is not fetched again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "names", nargs="*", metavar="NAME", help="as the list shows them"
        )
        parser.add_argument("--all", action="store_true", help="every model file")
        parser.add_argument(
            "--check",
            action="store_true",
            help="read the files and fetch nothing; fails unless all are intact",
        )

    def handle(
        self,
        *_args: Any,
        names: list[str],
        all: bool,
        check: bool,
        **_options: Any,
    ) -> None:
        with errors_as_sentences():
            chosen = [model_files.get_published(name) for name in names]
            if check:
                self._check(chosen or [*model_files.MODEL_FILES.values()])
            elif all or chosen:
                self._download([*model_files.MODEL_FILES.values()] if all else chosen)
            else:
                for state in model_files.states():
                    self._tell(state)

    def _check(self, chosen: list[PublishedFile]) -> None:
        states = [model_files.verify(published) for published in chosen]
        for state in states:
            self._tell(state)
        if bad := [s.published.name for s in states if not s.is_installed]:
            raise CommandError(f"Not installed or damaged: {', '.join(bad)}.")

    def _download(self, chosen: list[PublishedFile]) -> None:
        for published in chosen:
            if not model_files.state_of(published).is_installed:
                self.stdout.write(f"Downloading {published.name} ...")
                with byte_bar() as bar:
                    install([published], asker=ASKER, on_bytes=_listener(bar))
            self._tell(model_files.state_of(published))

    def _tell(self, state: FileState) -> None:
        why = f" ({state.explanation})" if state.explanation else ""
        self.stdout.write(
            f"{state.published.name:<24}{state.status:<15}"
            f"{state.size_bytes / 1e6:>8.1f} MB  {state.published.file}{why}"
        )


def _listener(bar: "tqdm[NoReturn] | None") -> Any:
    def show(done_bytes: int, total_bytes: int) -> None:
        if bar is not None:
            show_bytes(bar, done_bytes, total_bytes)

    return show
