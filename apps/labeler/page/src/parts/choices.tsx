import { type FormEvent, type KeyboardEvent, type RefObject, useState } from "react";
import type { LabelValue } from "../../../src/store/row.ts";
import type { ReviewRow } from "../../../src/ui/api.ts";
import { fieldOf } from "../field-of.ts";
import { labelText } from "../format.ts";
import type { Review } from "../use-review.ts";

interface Props {
  row: ReviewRow;
  review: Review;
  /** Where a label is looked for. */
  filter: RefObject<HTMLInputElement | null>;
}

/** More labels than keys are looked for by typing. */
const keyCount = 10;

/** What may be said of a row. */
export function Choices({ row, review, filter }: Props) {
  return (
    <div className="choices">
      <div className="buttons">
        <button
          type="button"
          className="main"
          disabled={row.label === null}
          onClick={() => review.say({ action: "accept" })}
        >
          Accept <kbd>a</kbd>
        </button>
        <button type="button" onClick={() => review.say({ action: "skip" })}>
          Skip <kbd>s</kbd>
        </button>
        <button type="button" disabled={review.said.length === 0} onClick={review.undo}>
          Undo <kbd>u</kbd>
        </button>
      </div>
      {review.choices && review.task !== "entities" ? (
        <FixedChoices row={row} review={review} filter={filter} choices={review.choices} />
      ) : (
        <FreeChoice row={row} review={review} filter={filter} />
      )}
    </div>
  );
}

function FixedChoices({ row, review, filter, choices }: Props & { choices: NonNullable<Review["choices"]> }) {
  const [typed, setTyped] = useState("");
  const wanted = typed.trim().toLowerCase();
  const found = choices
    .map((choice, place) => ({ ...choice, key: place < keyCount ? (place + 1) % 10 : null }))
    .filter(({ name }) => name.toLowerCase().includes(wanted));
  const [first] = found;
  const isSeveral = review.task === "multilabel";
  const press = (event: KeyboardEvent<HTMLInputElement>) => {
    if (event.key === "Escape") {
      setTyped("");
      event.currentTarget.blur();
    }
    if (event.key === "Enter" && first && wanted !== "") {
      event.currentTarget.blur();
      setTyped("");
      review.choose(first.name);
    }
  };
  return (
    <>
      {choices.length > keyCount && (
        <label className="field">
          <span>
            Find a label <kbd>/</kbd>
          </span>
          <input
            ref={filter}
            type="search"
            value={typed}
            placeholder="type, Enter takes the first"
            onChange={({ target }) => setTyped(target.value)}
            onKeyDown={press}
          />
        </label>
      )}
      {isSeveral && (
        <button type="button" onClick={() => review.say({ action: "correct", label: [...review.ticked] })}>
          Say these {review.ticked.length} <kbd>Enter</kbd>
        </button>
      )}
      <ul className="labels" aria-label="Labels">
        {found.map(({ name, description, key }) => (
          <li key={name}>
            <button
              type="button"
              className={`choice ${wanted !== "" && name === first?.name ? "first" : ""}`}
              aria-current={!isSeveral && name === row.label ? "true" : undefined}
              aria-pressed={isSeveral ? review.ticked.includes(name) : undefined}
              onClick={() => review.choose(name)}
            >
              <kbd>{key ?? ""}</kbd>
              <span>
                {name}
                {description !== null && <small className="sub">{description}</small>}
              </span>
            </button>
          </li>
        ))}
        {found.length === 0 && <li className="soft">No label is like that.</li>}
      </ul>
    </>
  );
}

/** A label of a task without a fixed set: text as it is, anything else as JSON. */
function FreeChoice({ row, review, filter }: Props) {
  const isText = row.label === null || typeof row.label === "string";
  const [error, setError] = useState<string>();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const text = fieldOf(new FormData(event.currentTarget), "label");
    const label = isText ? text : parsed(text);
    if (label === undefined) setError("This is no JSON.");
    else review.say({ action: "correct", label });
  };
  return (
    <form onSubmit={submit}>
      <label className="field">
        <span>
          {isText ? "Answer" : "Label as JSON"} <kbd>/</kbd>
        </span>
        <input
          ref={filter}
          name="label"
          required
          autoComplete="off"
          defaultValue={isText ? labelText(row.label) : JSON.stringify(row.label)}
          onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        />
      </label>
      {error !== undefined && (
        <p className="said-no" role="alert">
          {error}
        </p>
      )}
      <button type="submit">Correct</button>
    </form>
  );
}

function parsed(text: string): LabelValue | undefined {
  try {
    return JSON.parse(text) as LabelValue;
  } catch {
    return undefined;
  }
}
