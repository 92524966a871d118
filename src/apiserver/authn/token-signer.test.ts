import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createTokenSigner } from "./token-signer.ts";

const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
const start = Date.parse("2024-06-01T00:00:00Z");

describe("a signed token", () => {
  it("is good a minute longer than it says, for clocks that differ", async () => {
    const signer = await createTokenSigner(pem, "https://issuer");
    const expiresAtMs = start + 3_600_000;
    const token = await signer.sign(
      { namespace: "n", name: "a", uid: "u" },
      { audiences: ["x"], issuedAtMs: start, expiresAtMs },
    );
    expect(await signer.verify(token, start - 59_000)).toMatchObject({ name: "a", aud: ["x"], expiresAtMs });
    expect(await signer.verify(token, expiresAtMs + 59_000)).toMatchObject({ name: "a" });
    await expect(signer.verify(token, expiresAtMs + 61_000)).rejects.toThrow(/exp/);
    await expect(signer.verify(token, start - 61_000)).rejects.toThrow(/nbf/);
  });
});
