"""GraphQL that is about plugins: telling of them, running them, their tasks as jobs.

It is executed here, with the demo Stash's own schema beside it, so that an operation
may ask for both. All else goes on to the demo Stash.
"""

import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    execute_sync,
    extend_schema,
    parse,
    validate,
)

from demo.stash.exchange import Exchange, Info
from demo.stash.graphql_api import Answer, executable_schema
from demo.stash.library import Job, now
from demo.stash.schema import parse_version
from demo.stash.server import StashServer
from plugin.tests.harness.manifests import Plugin
from plugin.tests.harness.running import (
    Connection,
    OperationCancelled,
    PluginFailed,
    run_backend,
)

_SDL = """
scalar Any

type PluginSetting { name: String!, display_name: String, description: String,
  type: PluginSettingTypeEnum! }
enum PluginSettingTypeEnum { STRING NUMBER BOOLEAN }
type PluginHook { name: String!, description: String, hooks: [String!],
  plugin: Plugin! }
type PluginTask { name: String!, description: String, plugin: Plugin! }
type PluginPaths { javascript: [String!], css: [String!] }
type Plugin { id: ID!, name: String!, description: String, url: String,
  version: String, enabled: Boolean!, requires: [ID!], settings: [PluginSetting!],
  tasks: [PluginTask!], hooks: [PluginHook!], paths: PluginPaths! }

extend type Query { plugins: [Plugin!], pluginTasks: [PluginTask!] }
extend type Mutation {
  runPluginOperation(plugin_id: ID!, args: Map): Any
  runPluginTask(plugin_id: ID!, task_name: String, description: String,
    args_map: Map): ID!
  reloadPlugins: Boolean!
}
"""
_OWN = {
    "plugins", "pluginTasks", "runPluginOperation", "runPluginTask", "reloadPlugins",
    "stopJob",
}  # fmt: skip
_ENDED = ("FINISHED", "CANCELLED", "FAILED")


@dataclass(frozen=True)
class _Exchange(Exchange):
    """Also whether whoever asks has gone away."""

    is_cancelled: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class LogLine:
    """What a backend wrote on stderr."""

    plugin_id: str
    level: str
    text: str


@dataclass
class _Task:
    job: Job
    plugin: Plugin
    args: dict[str, Any]
    exec_args: list[str]
    stopped: threading.Event = field(default_factory=threading.Event)


class Operations:
    """Executes what is about plugins; tasks one by one, as jobs of the demo Stash."""

    def __init__(
        self,
        stash: StashServer,
        plugins: Mapping[str, Plugin],
        *,
        config_dir: Path,
        new_session: Callable[[], str],
        own_port: Callable[[], int],
        reload: Callable[[], None],
    ) -> None:
        self._stash = stash
        self._plugins = plugins
        self._config_dir = config_dir
        self._new_session = new_session
        self._own_port = own_port
        self._reload = reload
        self._schemas: dict[str, GraphQLSchema] = {}
        self._tasks: dict[str, _Task] = {}
        self._queue: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.log: list[LogLine] = []
        # What runPluginOperation was given, oldest first.
        self.asked: list[Mapping[str, Any]] = []

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the task that runs, and begin no other."""
        for task in self._tasks.values():
            task.stopped.set()
        self._queue.put(None)
        self._thread.join()

    def concern(self, request: Mapping[str, Any]) -> bool:
        """Return whether an operation asks for anything that is executed here."""
        try:
            document = parse(str(request.get("query")))
        except GraphQLError:
            return False
        return any(
            isinstance(chosen, FieldNode) and chosen.name.value in _OWN
            for definition in document.definitions
            if isinstance(definition, OperationDefinitionNode)
            for chosen in definition.selection_set.selections
        )

    def answer(
        self,
        request: Mapping[str, Any],
        *,
        base_url: str,
        is_cancelled: Callable[[], bool],
    ) -> Answer:
        """Execute it; what is invalid has no effect and is a 422."""
        stash = self._stash
        document = parse(str(request["query"]))
        schema = self._schema(stash.version)
        if errors := validate(schema, document):
            return Answer(422, {"errors": [e.formatted for e in errors], "data": None})
        # Not under the library's lock: backends ask back while they run.
        result = execute_sync(
            schema,
            document,
            context_value=_Exchange(
                stash.library,
                base_url,
                stash.api_key,
                stash.version,
                is_cancelled=is_cancelled,
            ),
            variable_values=request.get("variables") or {},
            operation_name=request.get("operationName"),
        )
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = [error.formatted for error in result.errors]
        return Answer(200, body)

    def fire(self, hook_type: str, row_id: int, **context: Any) -> list[Any]:
        """Run every hook of that type, as after a change; return their outputs."""
        hook_context = {
            "id": row_id, "type": hook_type, "input": None, "inputFields": None,
            **context,
        }  # fmt: skip
        return [
            self._run(
                plugin,
                {**(hook.get("defaultArgs") or {}), "hookContext": hook_context},
                exec_args=hook.get("execArgs") or [],
                is_cancelled=lambda: False,
            )
            for plugin in self._plugins.values()
            for hook in plugin.hooks
            if hook_type in (hook.get("triggeredBy") or [])
        ]

    def _schema(self, version: str) -> GraphQLSchema:
        if version not in self._schemas:
            known = executable_schema(parse_version(version))
            for name in ("Map", "PluginConfigMap"):
                scalar = known.type_map[name]
                assert isinstance(scalar, GraphQLScalarType), name
                # Extending wants both ways to read one, and there is but one so far.
                scalar.parse_value = _as_it_is  # type: ignore[method-assign]
            schema = extend_schema(known, parse(_SDL))
            query, mutation = schema.query_type, schema.mutation_type
            assert query is not None
            assert mutation is not None
            query.fields["plugins"].resolve = self._tell_plugins
            query.fields["pluginTasks"].resolve = self._tell_tasks
            mutation.fields["runPluginOperation"].resolve = self._run_operation
            mutation.fields["runPluginTask"].resolve = self._run_task
            mutation.fields["reloadPlugins"].resolve = self._reload_plugins
            stop_others = mutation.fields["stopJob"].resolve
            assert stop_others is not None

            def stop_job(root: None, info: Info, job_id: str) -> bool:
                if job_id in self._tasks:
                    return self._stop_task(self._tasks[job_id])
                return bool(stop_others(root, info, job_id=job_id))

            mutation.fields["stopJob"].resolve = stop_job
            self._schemas[version] = schema
        return self._schemas[version]

    def _tell_plugins(self, _root: None, _info: Info) -> list[Any]:
        return [_described(plugin) for plugin in self._plugins.values()]

    def _tell_tasks(self, _root: None, info: Info) -> list[Any]:
        told = self._tell_plugins(_root, info)
        return [task for plugin in told for task in plugin["tasks"]]

    def _reload_plugins(self, _root: None, _info: Info) -> bool:
        self._reload()
        return True

    def _find(self, plugin_id: str) -> Plugin:
        plugin = self._plugins.get(plugin_id)
        if plugin is None:
            # Stash does not check, and panics.
            raise GraphQLError("internal system error")
        return plugin

    def _run_operation(
        self,
        _root: None,
        info: Info,
        plugin_id: str,
        args: dict[str, Any] | None = None,
    ) -> Any:
        plugin = self._find(plugin_id)
        self.asked.append(args or {})
        exchange = info.context
        assert isinstance(exchange, _Exchange)
        try:
            return self._run(plugin, args or {}, is_cancelled=exchange.is_cancelled)
        except PluginFailed as error:
            raise GraphQLError(str(error)) from error

    def _run(
        self,
        plugin: Plugin,
        args: Mapping[str, Any],
        *,
        is_cancelled: Callable[[], bool],
        exec_args: list[str] | None = None,
        on_progress: Callable[[float], None] = lambda _: None,
    ) -> Any:
        connection = Connection(self._own_port(), self._new_session(), self._config_dir)
        return run_backend(
            plugin,
            args,
            connection,
            exec_args=exec_args or [],
            is_cancelled=is_cancelled,
            on_progress=on_progress,
            on_log=lambda level, text: self.log.append(LogLine(plugin.id, level, text)),
        )

    # Tasks

    def _run_task(
        self,
        _root: None,
        _info: Info,
        plugin_id: str,
        task_name: str | None = None,
        description: str | None = None,
        args_map: dict[str, Any] | None = None,
    ) -> str:
        plugin = self._find(plugin_id)
        known = next((t for t in plugin.tasks if t["name"] == task_name), None)
        if known is None and task_name is not None:
            raise GraphQLError(f"task {task_name} not found")
        known = known or {}
        library = self._stash.library
        with library.lock:
            job_id = library.next_id({job.id: job for job in library.jobs})
            text = description or f"Running plugin task: {task_name or plugin.name}"
            job = Job(job_id, "READY", text, now())
            library.jobs.append(job)
        task = _Task(
            job,
            plugin,
            {**(known.get("defaultArgs") or {}), **(args_map or {})},
            known.get("execArgs") or [],
        )
        self._tasks[job_id] = task
        self._queue.put(task)
        return job_id

    def _stop_task(self, task: _Task) -> bool:
        with self._stash.library.lock:
            task.stopped.set()
            if task.job.status == "RUNNING":
                task.job.status = "STOPPING"
            elif task.job.status not in _ENDED:
                task.job.status = "CANCELLED"
        return True

    def _work(self) -> None:
        while (task := self._queue.get()) is not None:
            with self._stash.library.lock:
                if task.stopped.is_set():
                    continue
                task.job.status, task.job.start_time = "RUNNING", now()
            self._work_at(task)

    def _work_at(self, task: _Task) -> None:
        job = task.job

        def report(share: float) -> None:
            job.progress = share

        ended = "FINISHED"
        try:
            self._run(
                task.plugin,
                task.args,
                exec_args=task.exec_args,
                is_cancelled=task.stopped.is_set,
                on_progress=report,
            )
        except OperationCancelled:
            ended = "CANCELLED"
        except (PluginFailed, OSError) as error:
            ended, job.error = "FAILED", str(error)
        job.end_time = now()
        job.status = ended


def _as_it_is(value: Any) -> Any:
    return value


def _described(plugin: Plugin) -> dict[str, Any]:
    """Return what is told of a plugin; its tasks and hooks lead back to it."""
    told = plugin.as_graphql()
    for kind in ("tasks", "hooks"):
        for entry in told[kind]:
            entry["plugin"] = told
    return told
