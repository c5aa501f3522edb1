/** An answer with an HTTP error status. Nothing that ends in one is billed, but for a fault that says so. */
export class Refusal extends Error {
  readonly status: number;
  /** OpenAI's machine-readable code, such as `insufficient_quota`. */
  readonly code: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Replaces the whole body. */
  readonly body: unknown;

  constructor(
    status: number,
    message: string,
    options: { code?: string; headers?: Record<string, string>; body?: unknown } = {},
  ) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.code = options.code;
    this.headers = options.headers ?? {};
    this.body = options.body;
  }
}
