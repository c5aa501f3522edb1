import { useEffect, useRef } from "react";
import { formatCount } from "../../../src/progress/bar.ts";
import { evidenceNames } from "../../../src/report/words.ts";
import type { CallStory, RowStory, RunPage } from "../../../src/ui/api.ts";
import { runAddress } from "../client.ts";
import { labelText, statusNames, timeText } from "../format.ts";
import { useChanges } from "../use-changes.ts";
import { useResource } from "../use-resource.ts";
import { Amount } from "./amount.tsx";
import { Confidence } from "./confidence.tsx";
import { Label } from "./label.tsx";
import { Failure, Loading } from "./notice.tsx";
import { Pairs } from "./pairs.tsx";
import { RowText } from "./row-text.tsx";

/** The whole story of a row, beside the grid. */
export function RowPanel({ run, position, onClose }: { run: RunPage; position: number; onClose: () => void }) {
  const panel = useRef<HTMLElement>(null);
  const { data, error, reload } = useResource<RowStory>(runAddress(run.status.id, `/rows/${position}`));
  useChanges(run, reload);

  useEffect(() => {
    const opener = document.activeElement;
    panel.current?.focus();
    return () => {
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);

  return (
    <aside
      ref={panel}
      className="panel"
      tabIndex={-1}
      aria-label={`Row ${formatCount(position + 1)}`}
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <header>
        <h2 id="row">Row {formatCount(position + 1)}</h2>
        <button type="button" onClick={onClose} aria-label="Close the row">
          Close
        </button>
      </header>
      {data ? <Story row={data} /> : error ? <Failure error={error} onRetry={reload} /> : <Loading what="the row" />}
    </aside>
  );
}

function Story({ row }: { row: RowStory }) {
  return (
    <>
      <RowText text={row.fullText} label={row.label} labelledBy="row" />
      <Verdict row={row} />
      <section>
        <h3>Calls</h3>
        {row.calls.length === 0 && <p className="soft">No call was charged for this row.</p>}
        {row.calls.map((call) => (
          <Call key={call.reservationId} call={call} />
        ))}
      </section>
      <section>
        <h3>What is sent</h3>
        {row.prompt === null && <p className="soft">The task of this row cannot be made again here.</p>}
        {row.prompt?.map(({ role, content }) => (
          <details key={`${role} ${content}`} open={role === "user"}>
            <summary>{role}</summary>
            <pre dir="auto">{content}</pre>
          </details>
        ))}
      </section>
      <section>
        <h3>Columns</h3>
        <Pairs
          pairs={Object.entries(row.input).map(([name, value]) => [
            name,
            <span key={name} dir="auto">
              {textOf(value)}
            </span>,
          ])}
        />
      </section>
    </>
  );
}

function Verdict({ row }: { row: RowStory }) {
  const said = row.review && row.review.action !== "skip" && labelText(row.review.label);
  return (
    <>
      <Pairs
        pairs={[
          ["label", row.label === null ? "none" : <Label key="label" value={row.label} />],
          ["state", statusNames[row.status]],
          ...(said ? [["model said", row.modelLabel === null ? "nothing" : labelText(row.modelLabel)] as const] : []),
          ["confidence", <Confidence key="confidence" value={row.confidence} />],
          ["cost", <Amount key="cost" usd={row.costUsd} />],
          ["charged calls", String(row.attempts)],
          ["id", row.rowId],
          ...(row.taskVersion === null ? [] : [["task", `version ${row.taskVersion}`] as const]),
          ...(row.duplicateOf === null ? [] : [["same text as", `row ${formatCount(row.duplicateOf + 1)}`] as const]),
        ]}
      />
      {row.error !== null && <p className="said-no">{row.error}</p>}
      {row.explanation !== null && (
        <section>
          <h3>Why, in the model’s words</h3>
          <p className="quote" dir="auto">
            {row.explanation}
          </p>
        </section>
      )}
      {row.reviews.length > 0 && (
        <section>
          <h3>Reviews</h3>
          <ul className="plain">
            {row.reviews.map(({ action, label, author, at }) => (
              <li key={at}>
                {author}: {action === "skip" ? "skipped" : <b>{labelText(label)}</b>}{" "}
                <time className="soft" dateTime={at}>
                  {timeText(at, { seconds: true })}
                </time>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** A charged call: what came, what it did cost, and how that is known. */
function Call({ call }: { call: CallStory }) {
  return (
    <article className="call">
      <h4>
        <Amount usd={call.costUsd} /> <span className="soft">{evidenceNames[call.kind]}</span>
      </h4>
      {call.isSuperseded && <p className="soft">Its answer was bought again later.</p>}
      {call.answer !== null && <pre dir="auto">{call.answer}</pre>}
      <Pairs
        pairs={[
          ["model", call.modelId ?? "not told"],
          ["time", timeText(call.at, { seconds: true })],
          ...(call.finishReason === null ? [] : [["ended by", call.finishReason] as const]),
          ...(call.usage === null ? [] : [["usage", usageText(call.usage)] as const]),
          ...(call.priceBook === null ? [] : [["prices", call.priceBook] as const]),
          ["call", call.callId ?? "no id was told"],
          ["receipt", call.reservationId],
        ]}
      />
    </article>
  );
}

function usageText(usage: Readonly<Record<string, unknown>>): string {
  return Object.entries(usage)
    .filter(([, value]) => value !== null && value !== undefined && value !== 0)
    .map(([name, value]) => `${name} ${typeof value === "number" ? formatCount(value) : textOf(value)}`)
    .join(", ");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
