/** A module from the plugin's assets: asks the backend, and moves the player. */
const { React, components, hooks, libraries, loadableComponents, utils } =
  window.PluginApi;
const { gql } = libraries.Apollo;
const h = React.createElement;

const RUN = gql`
  mutation RunPluginOperation($args: Map!) {
    runPluginOperation(plugin_id: "echo", args: $args)
  }
`;

export default function Panel({ word }) {
  const [said, setSaid] = React.useState("");
  const toast = hooks.useToast();
  const isLoading = hooks.useLoadComponents([loadableComponents.SceneCard]);
  const ask = async () => {
    const { data } = await utils.StashService.getClient().mutate({
      mutation: RUN,
      variables: { args: { word } },
    });
    setSaid(data.runPluginOperation.args.word);
    toast.success("Said it");
  };
  const jump = () => utils.InteractiveUtils.getPlayer().currentTime(3);
  return h(
    "div",
    { className: "echo-word" },
    h("button", { id: "echo-ask", onClick: ask }, "Ask"),
    h("button", { id: "echo-jump", onClick: jump }, "Jump"),
    h("p", { id: "echo-said" }, said),
    h("p", { id: "echo-card" }, isLoading ? "" : typeof components.SceneCard)
  );
}
