/** /scenes/:id with its tabs, which plugins add to. */
import React, { useState } from "react";
import { Nav, Tab } from "react-bootstrap";
import { useParams } from "react-router-dom";
import { pending, useTitle } from "../base";
import { Details, titleOf } from "../cards";
import { useFindScene } from "../client";
import { patchableComponent, patchableContainer } from "../patching";
import { ScenePlayer } from "../player";

const Tabs = patchableContainer("ScenePage.Tabs");
const TabContent = patchableContainer("ScenePage.TabContent");

const SceneFileInfoPanel = patchableComponent("SceneFileInfoPanel", ({ scene }) => (
  <dl>
    {scene.files.map((file) => (
      <React.Fragment key={file.id}>
        <dt>Path</dt>
        <dd>{file.path}</dd>
        <dt>Duration</dt>
        <dd>{file.duration} s</dd>
      </React.Fragment>
    ))}
  </dl>
));

const ScenePage = patchableComponent("ScenePage", ({ scene }) => {
  const [tab, setTab] = useState("scene-details-panel");
  return (
    <div className="row">
      <div className="scene-tabs order-xl-first order-last">
        <h3 className="scene-header">{titleOf(scene, "scene")}</h3>
        <Tab.Container activeKey={tab} onSelect={(key) => key && setTab(key)}>
          <Nav variant="tabs" className="mr-auto">
            <Tabs scene={scene}>
              <Nav.Item>
                <Nav.Link eventKey="scene-details-panel">Details</Nav.Link>
              </Nav.Item>
              <Nav.Item>
                <Nav.Link eventKey="scene-file-info-panel">File Info</Nav.Link>
              </Nav.Item>
            </Tabs>
          </Nav>
          <Tab.Content>
            <TabContent scene={scene}>
              <Tab.Pane eventKey="scene-details-panel">
                <Details row={scene} />
              </Tab.Pane>
              <Tab.Pane eventKey="scene-file-info-panel">
                <SceneFileInfoPanel scene={scene} />
              </Tab.Pane>
            </TabContent>
          </Tab.Content>
        </Tab.Container>
      </div>
      <div className="scene-player-container">
        <ScenePlayer scene={scene} key={scene.id} />
      </div>
    </div>
  );
});

export default function SceneLoader() {
  const { id } = useParams();
  const found = useFindScene(id);
  const scene = found.data?.findScene;
  useTitle(scene && titleOf(scene, "scene"));
  return pending(found, scene) ?? <ScenePage scene={scene} />;
}
