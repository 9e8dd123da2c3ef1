/** The few components that are there on every page. */
import React, { useEffect } from "react";
import { Spinner } from "react-bootstrap";
import { FontAwesomeIcon } from "@fortawesome/react-fontawesome";
import { patchableComponent, patchableContainer } from "./patching";

export const Icon = patchableComponent("Icon", ({ icon, className = "", color, size }) => (
  <FontAwesomeIcon
    icon={icon}
    className={`fa-icon ${className}`}
    color={color}
    size={size}
  />
));

export const LoadingIndicator = patchableComponent(
  "LoadingIndicator",
  ({ message, inline }) => (
    <div className={`LoadingIndicator ${inline ? "inline" : ""}`}>
      <Spinner animation="border" role="status">
        <span className="sr-only">Loading ...</span>
      </Spinner>
      {message && <h4>{message}</h4>}
    </div>
  )
);

export const MenuItems = patchableContainer("MainNavBar.MenuItems");
export const UtilityItems = patchableContainer("MainNavBar.UtilityItems");

/** Names the page's window. */
export function useTitle(title) {
  useEffect(() => {
    document.title = title ? `${title} | Stash` : "Stash";
  }, [title]);
}

/** What of a query is shown until its data are there, or null. */
export function pending({ loading, error }, found) {
  if (error) return <div className="alert alert-danger">{error.message}</div>;
  if (!found) return loading ? <LoadingIndicator /> : <h4>There is no such thing.</h4>;
  return null;
}
