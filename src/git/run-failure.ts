/** A failure that ends a Kustomization's run early, with Flux's reason for the Ready condition. */
export class RunFailure extends Error {
  readonly reason: string;
  /** Set where trying again cannot help. */
  readonly isTerminal: boolean;
  constructor(reason: string, message: string, isTerminal = false) {
    super(message);
    this.reason = reason;
    this.isTerminal = isTerminal;
  }
}
