/** /settings: the plugins' settings, their tasks, and tools that they add. */
import React, { useState } from "react";
import { Button, Card, Form, Nav, ProgressBar } from "react-bootstrap";
import { useQuery } from "@apollo/client";
import { Link, useLocation } from "react-router-dom";
import { pending, useTitle } from "../base";
import { GQL, mutateRunPluginTask, mutateStopJob, usePlugins } from "../client";
import { useSettings, useToast } from "../hooks";
import { patchableComponent, patchableContainer } from "../patching";

const POLL_MILLISECONDS = 500;

const Setting = patchableComponent(
  "Setting",
  ({ id, heading, subHeading, children }) => (
    <div className="setting" id={id}>
      <div>
        <h3>{heading}</h3>
        <div className="sub-heading">{subHeading}</div>
      </div>
      <div>{children}</div>
    </div>
  )
);

export const SettingGroup = patchableComponent(
  "SettingGroup",
  ({ settingProps, children }) => (
    <div className="setting-group">
      <Setting {...settingProps} />
      <div className="setting-section">{children}</div>
    </div>
  )
);

export const BooleanSetting = patchableComponent(
  "BooleanSetting",
  ({ id, heading, subHeading, checked, onChange }) => (
    <Setting id={`${id}-setting`} heading={heading} subHeading={subHeading}>
      <Form.Switch
        id={id}
        label=""
        aria-label={heading}
        checked={checked ?? false}
        onChange={() => onChange(!checked)}
      />
    </Setting>
  )
);

function TextSetting({ id, heading, subHeading, value, onChange, type }) {
  const [text, setText] = useState(value ?? "");
  return (
    <Setting id={`${id}-setting`} heading={heading} subHeading={subHeading}>
      <Form.Control
        id={id}
        type={type}
        aria-label={heading}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onBlur={() => text !== (value ?? "") && onChange(text)}
      />
    </Setting>
  );
}

export const StringSetting = patchableComponent("StringSetting", (props) => (
  <TextSetting {...props} type="text" />
));

export const NumberSetting = patchableComponent("NumberSetting", (props) => (
  <TextSetting
    {...props}
    type="number"
    onChange={(text) => props.onChange(Number(text))}
  />
));

const PluginSettings = patchableComponent(
  "PluginSettings",
  ({ pluginID, settings: definitions }) => {
    const { plugins, savePluginSettings } = useSettings();
    const toast = useToast();
    const saved = plugins[pluginID] ?? {};
    const save = (name, value) =>
      savePluginSettings(pluginID, { ...saved, [name]: value }).catch(toast.error);
    return (
      <div className="plugin-settings">
        {definitions.map(({ name, display_name, description, type }) => {
          const props = {
            id: `plugin-${pluginID}-${name}`,
            heading: display_name || name,
            subHeading: description,
            onChange: (value) => save(name, value),
          };
          if (type === "BOOLEAN") {
            return <BooleanSetting key={name} {...props} checked={saved[name]} />;
          }
          const Kind = type === "NUMBER" ? NumberSetting : StringSetting;
          return <Kind key={name} {...props} value={saved[name]} />;
        })}
      </div>
    );
  }
);

const SettingsToolsSection = patchableContainer("SettingsToolsSection");

function Plugins() {
  const found = usePlugins();
  const { loading } = useSettings();
  const plugins = found.data?.plugins;
  return (
    pending({ ...found, loading: true }, !loading && plugins) ??
    plugins.map((plugin) => (
      <SettingGroup
        key={plugin.id}
        settingProps={{
          heading: `${plugin.name} ${plugin.version ?? ""}`,
          subHeading: plugin.id,
        }}
      >
        <PluginSettings pluginID={plugin.id} settings={plugin.settings ?? []} />
      </SettingGroup>
    ))
  );
}

function Jobs() {
  const { data } = useQuery(GQL.JobQueueDocument, {
    pollInterval: POLL_MILLISECONDS,
    fetchPolicy: "network-only",
  });
  const jobs = data?.jobQueue ?? [];
  return (
    <Card className="job-table mb-3">
      <Card.Body>
        {jobs.length === 0 && <span className="empty-queue-message">No jobs</span>}
        {jobs.map((job) => (
          <div key={job.id} className="job" data-status={job.status}>
            <Button
              size="sm"
              variant="danger"
              aria-label={`Stop ${job.description}`}
              onClick={() => mutateStopJob(job.id)}
            >
              ×
            </Button>{" "}
            {job.description} {job.status.toLowerCase()}
            {job.progress >= 0 && (
              <ProgressBar
                now={100 * job.progress}
                label={`${Math.round(100 * job.progress)} %`}
              />
            )}
          </div>
        ))}
      </Card.Body>
    </Card>
  );
}

function Tasks() {
  const found = usePlugins();
  const toast = useToast();
  const plugins = found.data?.plugins;
  const run = (plugin, task) =>
    mutateRunPluginTask(plugin.id, task.name)
      .then(() => toast.success(`Added job ${task.name} to queue`))
      .catch(toast.error);
  return (
    <>
      <Jobs />
      {pending(found, plugins) ??
        plugins.map((plugin) => (
          <SettingGroup key={plugin.id} settingProps={{ heading: plugin.name }}>
            {(plugin.tasks ?? []).map((task) => (
              <Setting key={task.name} heading={task.name} subHeading={task.description}>
                <Button variant="secondary" onClick={() => run(plugin, task)}>
                  {task.name}
                </Button>
              </Setting>
            ))}
          </SettingGroup>
        ))}
    </>
  );
}

function Tools() {
  return (
    <SettingsToolsSection>
      <Setting heading="Tools of plugins" />
    </SettingsToolsSection>
  );
}

const TABS = { tasks: Tasks, plugins: Plugins, tools: Tools };

export default function SettingsPage() {
  const asked = new URLSearchParams(useLocation().search).get("tab");
  const tab = TABS[asked] ? asked : "tasks";
  useTitle("Settings");
  const Tab = TABS[tab];
  return (
    <div className="container settings">
      <Nav variant="tabs" activeKey={tab} className="mb-3">
        {Object.keys(TABS).map((name) => (
          <Nav.Item key={name}>
            <Nav.Link as={Link} eventKey={name} to={`/settings?tab=${name}`}>
              {name}
            </Nav.Link>
          </Nav.Item>
        ))}
      </Nav>
      <Tab />
    </div>
  );
}
