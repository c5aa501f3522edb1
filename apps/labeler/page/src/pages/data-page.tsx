import { useEffect, useState } from "react";
import { formatCount } from "../../../src/progress/bar.ts";
import type { RowStatus } from "../../../src/store/row.ts";
import type { RowQuery } from "../../../src/ui/api.ts";
import type { RunPageProps } from "../app.tsx";
import { labelName, rowStatuses, statusNames } from "../format.ts";
import { RowPanel } from "../parts/row-panel.tsx";
import { RowsGrid } from "../parts/rows-grid.tsx";
import { linkTo } from "../route.ts";

/** All rows of a run: filtered, sorted, and each with its story. */
export function DataPage({ run, query }: RunPageProps) {
  const id = run.status.id;
  const asked = readQuery(query);
  const opened = query.get("row");
  const change = (changes: Readonly<Record<string, string>>) => {
    const address = linkTo(id, "data", { ...Object.fromEntries(query), ...changes });
    // Filters are no places to go back to.
    history.replaceState(null, "", address);
    dispatchEvent(new HashChangeEvent("hashchange"));
  };

  return (
    <>
      <h1 className="for-readers">Data of {id}</h1>
      <div className="workbench">
        <Filters run={run} asked={asked} change={change} />
        <RowsGrid
          run={run}
          query={asked}
          opened={opened === null ? null : Number(opened)}
          onOpen={(position) => change({ row: String(position) })}
          onSort={(sort, descending) => change({ sort, descending: descending ? "true" : "" })}
          onClear={() => change({ status: "", label: "", search: "" })}
        />
      </div>
      {opened !== null && (
        <RowPanel key={opened} run={run} position={Number(opened)} onClose={() => change({ row: "" })} />
      )}
    </>
  );
}

interface FilterProps {
  run: RunPageProps["run"];
  asked: RowQuery;
  change: (changes: Readonly<Record<string, string>>) => void;
}

function Filters({ run, asked, change }: FilterProps) {
  return (
    <search className="filters">
      <SearchField text={asked.search ?? ""} onSearch={(search) => change({ search })} />
      <label>
        <span>State</span>
        <select value={asked.status ?? ""} onChange={({ target }) => change({ status: target.value })}>
          <option value="">all states</option>
          {rowStatuses.map((name) => (
            <option key={name} value={name}>
              {statusNames[name]} ({formatCount(run.status.rowsByStatus[name])})
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>Label</span>
        <select value={asked.label ?? ""} onChange={({ target }) => change({ label: target.value })}>
          <option value="">all labels</option>
          {asked.label !== undefined && !run.labels.some(({ name }) => name === asked.label) && (
            <option value={asked.label}>{labelName(asked.label)}</option>
          )}
          {run.labels.map(({ name, rows }) => (
            <option key={name} value={name}>
              {labelName(name)} ({formatCount(rows)})
            </option>
          ))}
        </select>
      </label>
    </search>
  );
}

const typingRestMs = 250;

/** Searches when the typing rests. */
function SearchField({ text, onSearch }: { text: string; onSearch: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const [searched, setSearched] = useState(text);
  // Cleared by a button, or by a link.
  if (text !== searched) {
    setSearched(text);
    setTyped(text);
  }
  useEffect(() => {
    if (typed === text) return;
    const timer = setTimeout(() => onSearch(typed), typingRestMs);
    return () => clearTimeout(timer);
  }, [typed, text, onSearch]);
  return (
    <label className="search">
      <span>Search</span>
      <input
        type="search"
        placeholder="text, id or label"
        value={typed}
        onChange={({ target }) => setTyped(target.value)}
      />
    </label>
  );
}

function readQuery(query: URLSearchParams): RowQuery {
  const [status, label, search, sort] = ["status", "label", "search", "sort"].map((name) => query.get(name) ?? "");
  const known = rowStatuses.find((name): name is RowStatus => name === status);
  return {
    ...(known && { status: known }),
    ...(label && { label }),
    ...(search && { search }),
    ...((sort === "confidence" || sort === "cost" || sort === "position") && { sort }),
    descending: query.get("descending") === "true",
  };
}
