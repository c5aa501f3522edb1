import { useEffect, useRef } from "react";

const keys: readonly (readonly [string, string])[] = [
  ["a", "accept the label"],
  ["1 … 9, 0", "choose one of the first ten labels"],
  ["/", "find a label by typing; Enter takes the first"],
  ["Enter", "say the labels that are ticked, where a row may have several"],
  ["s", "skip the row"],
  ["u", "undo the last one"],
  ["j or ↓", "next row"],
  ["k or ↑", "row before"],
  ["Esc", "leave a field"],
  ["?", "this help"],
];

/** The keys of the review page. */
export function ReviewHelp({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    dialog.current?.showModal();
  }, []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="keys">
      <h2 id="keys">Keys</h2>
      <dl className="keys">
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div className="buttons">
        <button type="button" className="main" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}
