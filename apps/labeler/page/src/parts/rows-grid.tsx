import { type CSSProperties, type KeyboardEvent, type RefObject, useEffect, useRef, useState } from "react";
import { formatCount, rowsText } from "../../../src/progress/bar.ts";
import type { RowStatus } from "../../../src/store/row.ts";
import type { RowQuery, RowSummary, RunPage } from "../../../src/ui/api.ts";
import { labelText, statusNames } from "../format.ts";
import { useChanges } from "../use-changes.ts";
import { useRowWindow } from "../use-row-window.ts";
import { useTallList } from "../use-tall-list.ts";
import { Amount } from "./amount.tsx";
import { Confidence } from "./confidence.tsx";
import { Empty, Failure } from "./notice.tsx";

type Sort = NonNullable<RowQuery["sort"]>;

interface Props {
  run: RunPage;
  query: RowQuery;
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
  { name: "Confidence", className: "n", sort: "confidence" },
  { name: "Cost", className: "n", sort: "cost" },
];

/** Rows as a table of any length, of which those in view are drawn; arrows walk it, Enter opens a row. */
export function RowsGrid({ run, query, opened, onOpen, onSort, onClear }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [total, setTotal] = useState(0);
  const list = useTallList(box, { count: total, rowHeight, headHeight });
  const [first, last] = [list.rows[0]?.index ?? 0, list.rows.at(-1)?.index ?? 0];
  const windows = useRowWindow(run.status.id, query, { first, last });
  useChanges(run, windows.reload);
  if (windows.total !== undefined && windows.total !== total) setTotal(windows.total);
  const asked = JSON.stringify(query);
  const shown = useRef(asked);
  useEffect(() => {
    // Other rows, or another order, are looked at from their beginning.
    if (shown.current !== asked) box.current?.scrollTo({ top: 0 });
    shown.current = asked;
  }, [asked]);
  const { active, walk, setActive } = useWalk(box, { total, show: list.show });
  // One row can be reached by Tab: the one that was walked to, or while it is out of view the first.
  const tabbed = active >= first && active <= last ? active : first;

  if (windows.error && windows.total === undefined) return <Failure error={windows.error} onRetry={windows.reload} />;
  return (
    <>
      <p className="count" role="status">
        {windows.total === undefined ? "Loading rows …" : rowsText(windows.total)}
        {windows.error && ` · not up to date: ${windows.error.message}`}
      </p>
      {windows.total === 0 && (
        <Empty title="No row is like that">
          <button type="button" onClick={onClear}>
            Show all rows
          </button>
        </Empty>
      )}
      <div ref={box} className="grid-box" hidden={windows.total === 0}>
        <table
          className="grid"
          aria-label="Rows"
          aria-rowcount={total + 1}
          style={{ "--digits": `${formatCount(total).length}ch` } as CSSProperties}
        >
          <GridHead query={query} onSort={onSort} />
          <tbody style={{ height: list.height }}>
            {list.rows.map(({ index, top }) => {
              const row = windows.rowAt(index);
              const open = () => {
                setActive(index);
                if (row) onOpen(row.position);
              };
              return (
                <GridRow
                  key={index}
                  {...{ index, top, row }}
                  isTabbed={index === tabbed}
                  isOpen={row !== undefined && row.position === opened}
                  onOpen={open}
                  onWalk={walk}
                />
              );
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** The row that the keyboard is at. */
function useWalk(
  box: RefObject<HTMLElement | null>,
  { total, show }: { total: number; show: (index: number) => void },
) {
  const [active, setActive] = useState(0);
  const isWalking = useRef(false);

  useEffect(() => {
    if (!isWalking.current) return;
    // A row that was far away is drawn after the scroll.
    const frame = requestAnimationFrame(() => {
      isWalking.current = false;
      box.current?.querySelector<HTMLElement>(`[data-row="${active}"]`)?.focus({ preventScroll: true });
    });
    return () => cancelAnimationFrame(frame);
  }, [active, box]);

  const walk = (event: KeyboardEvent, index: number) => {
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 0) / rowHeight) - 2);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: index + 1,
      ArrowUp: index - 1,
      PageDown: index + page,
      PageUp: index - page,
      Home: 0,
      End: total - 1,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const reached = Math.max(0, Math.min(total - 1, next));
    isWalking.current = true;
    setActive(reached);
    show(reached);
  };
  return { active, setActive, walk };
}

function GridHead({ query, onSort }: Pick<Props, "query" | "onSort">) {
  const sorted = query.sort ?? "position";
  const isDescending = query.descending === true;
  return (
    <thead>
      <tr className="grid-row" aria-rowindex={1}>
        {columns.map(({ name, className, sort }) => {
          const order = sort !== sorted ? undefined : isDescending ? "descending" : "ascending";
          return (
            <th key={name} scope="col" className={className} aria-sort={sort && (order ?? "none")}>
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
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

interface RowProps {
  index: number;
  top: number;
  row: RowSummary | undefined;
  isTabbed: boolean;
  isOpen: boolean;
  onOpen: () => void;
  onWalk: (event: KeyboardEvent, index: number) => void;
}

function GridRow({ index, top, row, isTabbed, isOpen, onOpen, onWalk }: RowProps) {
  const number = formatCount((row?.position ?? index) + 1);
  return (
    <tr
      className={isOpen ? "grid-row open" : "grid-row"}
      aria-rowindex={index + 2}
      style={{ transform: `translateY(${top}px)` }}
    >
      <td className="n">
        <button
          type="button"
          data-row={index}
          tabIndex={isTabbed ? 0 : -1}
          aria-label={`Row ${number}`}
          aria-expanded={isOpen}
          onClick={onOpen}
          onKeyDown={(event) => onWalk(event, index)}
        >
          {number}
        </button>
      </td>
      <td className="text" dir="auto">
        {row ? row.text : <span className="bone" />}
      </td>
      <td className="label">
        {row && (row.label === null ? <NoLabel status={row.status} /> : labelText(row.label))}
        {row?.review && row.review.action !== "skip" && (
          <span className="person" title={`by ${row.review.author}`}>
            reviewed
          </span>
        )}
      </td>
      <td className="n">{row && <Confidence value={row.confidence} />}</td>
      <td className="n">{row && <Amount usd={row.costUsd} />}</td>
    </tr>
  );
}

function NoLabel({ status }: { status: RowStatus }) {
  return <span className={`without ${status}`}>{statusNames[status]}</span>;
}
