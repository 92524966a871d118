/** ConfigMaps of kube-system that this server itself writes: made where they are missing, given their data where they are there. */
import type { V1ConfigMap } from "#api/generated/types.ts";
import type { Status } from "#api/status-error.ts";
import type { LocalTransport } from "#apiserver/transport.ts";

const namespace = "kube-system";
const collection = `/api/v1/namespaces/${namespace}/configmaps`;

export async function readSystemConfigMap(transport: LocalTransport, name: string): Promise<V1ConfigMap | undefined> {
  const { code, body } = await transport.request({ method: "GET", path: `${collection}/${name}` });
  return code === 200 ? (body as V1ConfigMap) : undefined;
}

/** Resolves with what the API said against it; another server that was faster is no fault. */
export async function writeSystemConfigMap(
  transport: LocalTransport,
  name: string,
  data: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const isThere = (await readSystemConfigMap(transport, name)) !== undefined;
  const { code, body } = isThere
    ? await transport.request({
        method: "PATCH",
        path: `${collection}/${name}`,
        contentType: "application/merge-patch+json",
        body: { data },
      })
    : await transport.request({
        method: "POST",
        path: collection,
        body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace }, data },
      });
  return code < 300 || code === 409 ? undefined : (body as Status).message;
}
