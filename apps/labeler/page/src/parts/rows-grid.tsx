import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { formatCount, rowsText } from "../../../src/progress/bar.ts";
import type { RowQuery, RowSummary } from "../../../src/ui/api.ts";
import { labelText, statusNames } from "../format.ts";
import { useRowWindow } from "../use-row-window.ts";
import { useTallList } from "../use-tall-list.ts";
import { Amount } from "./amount.tsx";
import { Confidence } from "./confidence.tsx";
import { Empty, Failure } from "./notice.tsx";

type Sort = NonNullable<RowQuery["sort"]>;

interface Props {
  run: string;
  query: RowQuery;
  isLive: boolean;
  /** Position of the row whose story is open. */
  opened: number | null;
  onOpen: (position: number) => void;
  onSort: (sort: Sort, descending: boolean) => void;
  onClear: () => void;
}

const rowHeight = 34;
const headHeight = 34;

const columns: readonly { name: string; className: string; sort?: Sort }[] = [
  { name: "Row", className: "n", sort: "position" },
  { name: "Text", className: "text" },
  { name: "Label", className: "label" },
  { name: "State", className: "status" },
  { name: "Confidence", className: "n", sort: "confidence" },
  { name: "Cost", className: "n", sort: "cost" },
];

/** Rows as a grid of any length; arrows walk it, Enter opens a row. */
export function RowsGrid({ run, query, isLive, opened, onOpen, onSort, onClear }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [total, setTotal] = useState(0);
  const [active, setActive] = useState(0);
  const list = useTallList(box, { count: total, rowHeight, headHeight });
  const first = list.rows[0]?.index ?? 0;
  const windows = useRowWindow(run, query, { first, last: list.rows.at(-1)?.index ?? 0, isLive });
  if (windows.total !== undefined && windows.total !== total) setTotal(windows.total);

  const walk = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / rowHeight) - 2);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: active + 1,
      ArrowUp: active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: total - 1,
    };
    const next = steps[event.key];
    const row = windows.rowAt(active);
    if (event.key === "Enter" && row && event.target === event.currentTarget) onOpen(row.position);
    if (next === undefined) return;
    event.preventDefault();
    const reached = Math.max(0, Math.min(total - 1, next));
    setActive(reached);
    list.show(reached);
  };

  if (windows.error && windows.total === undefined) return <Failure error={windows.error} onRetry={windows.reload} />;
  return (
    <>
      <p className="count" role="status">
        {windows.total === undefined ? "Loading rows …" : rowsText(windows.total)}
        {windows.error && ` · not up to date: ${windows.error.message}`}
      </p>
      {windows.total === 0 ? (
        <Empty title="No row is like that">
          <button type="button" onClick={onClear}>
            Show all rows
          </button>
        </Empty>
      ) : (
        <div
          ref={box}
          className="grid-box"
          role="grid"
          tabIndex={0}
          aria-label="Rows"
          aria-rowcount={total + 1}
          aria-colcount={columns.length}
          aria-activedescendant={`row-${active}`}
          onKeyDown={walk}
        >
          <GridHead query={query} onSort={onSort} />
          <div role="rowgroup" className="grid-body" style={{ height: list.height }}>
            {list.rows.map(({ index, top }) => {
              const row = windows.rowAt(index);
              return (
                <GridRow
                  key={index}
                  index={index}
                  top={top}
                  row={row}
                  isActive={index === active}
                  isOpen={row !== undefined && row.position === opened}
                  onOpen={() => {
                    setActive(index);
                    if (row) onOpen(row.position);
                  }}
                />
              );
            })}
          </div>
        </div>
      )}
    </>
  );
}

function GridHead({ query, onSort }: Pick<Props, "query" | "onSort">) {
  const sorted = query.sort ?? "position";
  const isDescending = query.descending === true;
  return (
    <div role="rowgroup" className="grid-head">
      <div role="row" className="grid-row" aria-rowindex={1}>
        {columns.map(({ name, className, sort }) => {
          const order = sort !== sorted ? undefined : isDescending ? "descending" : "ascending";
          return (
            <div key={name} role="columnheader" className={className} aria-sort={sort && (order ?? "none")}>
              {sort ? (
                <button type="button" onClick={() => onSort(sort, sort === sorted ? !isDescending : sort === "cost")}>
                  {name}
                  <span aria-hidden="true" className="order">
                    {order === undefined ? "" : isDescending ? "↓" : "↑"}
                  </span>
                </button>
              ) : (
                name
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface RowProps {
  index: number;
  top: number;
  row: RowSummary | undefined;
  isActive: boolean;
  isOpen: boolean;
  onOpen: () => void;
}

function GridRow({ index, top, row, isActive, isOpen, onOpen }: RowProps) {
  const names = ["grid-row", isActive && "active", isOpen && "open", row?.status !== "labeled" && "without"];
  return (
    <div
      role="row"
      id={`row-${index}`}
      className={names.filter(Boolean).join(" ")}
      aria-rowindex={index + 2}
      aria-selected={isOpen}
      aria-busy={!row}
      style={{ transform: `translateY(${top}px)` }}
      onClick={onOpen}
    >
      <div role="gridcell" className="n soft">
        {formatCount((row?.position ?? index) + 1)}
      </div>
      <div role="gridcell" className="text">
        {row ? row.text : <span className="bone" />}
      </div>
      <div role="gridcell" className="label">
        {row && labelText(row.label)}
        {row?.review && row.review.action !== "skip" && <span className="person" title={`by ${row.review.author}`}>reviewed</span>}
      </div>
      <div role="gridcell" className="status">
        {row && statusNames[row.status]}
      </div>
      <div role="gridcell" className="n">
        {row && <Confidence value={row.confidence} />}
      </div>
      <div role="gridcell" className="n">
        {row && <Amount usd={row.costUsd} />}
      </div>
    </div>
  );
}
