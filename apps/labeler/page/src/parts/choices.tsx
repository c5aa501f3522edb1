import { type FormEvent, type KeyboardEvent, type RefObject, useId, useState } from "react";
import type { ReviewRow } from "../../../src/ui/api.ts";
import { fieldOf } from "../field-of.ts";
import { labelForm } from "../label-form.ts";
import type { Review } from "../use-review.ts";

interface Props {
  row: ReviewRow;
  review: Review;
  /** Where a label is looked for. */
  filter: RefObject<FilterElement | null>;
}

/** What `/` leads to. */
export type FilterElement = HTMLInputElement & HTMLTextAreaElement;

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

/** A label of a task without a fixed set, in words. */
function FreeChoice({ row, review, filter }: Props) {
  const { draft } = review;
  const form = labelForm(review, draft?.position === row.position ? draft : row);
  const [error, setError] = useState<string>();
  const id = useId();
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    try {
      review.say({ action: "correct", label: form.read(fieldOf(new FormData(event.currentTarget), "label")) });
    } catch (wrong) {
      setError((wrong as Error).message);
    }
  };
  const field = {
    id,
    ref: filter,
    name: "label",
    autoComplete: "off",
    defaultValue: form.text,
    onKeyDown: ({ key, ctrlKey, metaKey, currentTarget }: KeyboardEvent<HTMLInputElement | HTMLTextAreaElement>) => {
      if (key === "Escape") currentTarget.blur();
      if (key === "Enter" && (ctrlKey || metaKey)) currentTarget.form?.requestSubmit();
    },
  };
  return (
    <form onSubmit={submit}>
      <div className="field">
        <label htmlFor={id}>
          {form.name} <kbd>/</kbd>
        </label>
        {form.isLong ? (
          <textarea {...field} dir="auto" rows={Math.min(14, form.text.split("\n").length + 2)} spellCheck={false} />
        ) : (
          <input {...field} dir="auto" required />
        )}
      </div>
      {form.hint !== null && <p className="soft">{form.hint}</p>}
      {error !== undefined && (
        <p className="said-no" role="alert">
          {error}
        </p>
      )}
      <button type="submit">Correct {form.isLong && <kbd>Ctrl Enter</kbd>}</button>
    </form>
  );
}
