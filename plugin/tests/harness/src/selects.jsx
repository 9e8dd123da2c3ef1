/** Choosing performers. */
import React, { useState } from "react";
import Select from "react-select";
import { queryFindPerformers } from "./client";
import { patchableComponent } from "./patching";

const LIMIT = 20;

/** `values` and what `onSelect` is given are lists of performers, also of one. */
export const PerformerSelect = patchableComponent(
  "PerformerSelect",
  ({ values = [], onSelect, isMulti = false, inputId, isDisabled, ...rest }) => {
    const [options, setOptions] = useState([]);
    const find = async (q) => {
      const { data } = await queryFindPerformers({ q, per_page: LIMIT, sort: "name" });
      setOptions(data.findPerformers.performers);
    };
    return (
      <Select
        className="performer-select react-select"
        classNamePrefix="react-select"
        aria-label={rest["aria-label"]}
        inputId={inputId}
        isDisabled={isDisabled}
        isMulti={isMulti}
        options={options}
        value={values}
        filterOption={null}
        getOptionLabel={(performer) => performer.name}
        getOptionValue={(performer) => performer.id}
        onMenuOpen={() => find("")}
        onInputChange={(text, { action }) => {
          if (action === "input-change") find(text);
        }}
        onChange={(chosen) => onSelect?.([chosen ?? []].flat())}
      />
    );
  }
);
