import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";

interface Props {
  title: string;
  /** What the button says that does it. */
  confirm: string;
  children: ReactNode;
  /** Closes the dialog when it is through; its error is shown. */
  onConfirm: (form: FormData) => Promise<unknown>;
  onClose: () => void;
}

/** Asks before something that costs or stops. */
export function ConfirmDialog({ title, confirm, children, onConfirm, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [error, setError] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  const titleId = useId();

  useEffect(() => {
    dialog.current?.showModal();
  }, []);

  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    setBusy(true);
    try {
      await onConfirm(new FormData(event.currentTarget));
      dialog.current?.close();
    } catch (failure) {
      setError((failure as Error).message);
      setBusy(false);
    }
  };

  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby={titleId}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id={titleId}>{title}</h2>
        {children}
        {error !== undefined && (
          <p className="said-no" role="alert">
            {error}
          </p>
        )}
        <div className="buttons">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" className="main" disabled={isBusy}>
            {confirm}
          </button>
        </div>
      </form>
    </dialog>
  );
}
