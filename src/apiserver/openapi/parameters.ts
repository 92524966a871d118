/** Query parameters of operations, described as upstream describes them (shortened where it repeats its manuals). */
import type { Schema } from "./type-schemas.ts";

interface Parameter {
  type: "string" | "integer" | "boolean";
  description: string;
}

const parameters: Readonly<Record<string, Parameter>> = {
  pretty: {
    type: "string",
    description:
      "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or command-line HTTP tool (curl and wget).",
  },
  allowWatchBookmarks: {
    type: "boolean",
    description:
      'allowWatchBookmarks requests watch events with type "BOOKMARK". Servers that do not implement bookmarks may ignore this flag and bookmarks are sent at the server\'s discretion.',
  },
  continue: {
    type: "string",
    description: "The continue option should be set when retrieving more results from the server.",
  },
  dryRun: {
    type: "string",
    description:
      "When present, indicates that modifications should not be persisted. An invalid or unrecognized dryRun directive will result in an error response and no further processing of the request. Valid values are: - All: all dry run stages will be processed",
  },
  fieldManager: {
    type: "string",
    description:
      "fieldManager is a name associated with the actor or entity that is making these changes. The value must be less than or 128 characters long, and only contain printable characters, as defined by https://golang.org/pkg/unicode/#IsPrint.",
  },
  fieldSelector: {
    type: "string",
    description: "A selector to restrict the list of returned objects by their fields. Defaults to everything.",
  },
  fieldValidation: {
    type: "string",
    description:
      "fieldValidation instructs the server on how to handle objects in the request (POST/PUT/PATCH) containing unknown or duplicate fields. Valid values are: - Ignore: This will ignore any unknown fields that are silently dropped from the object, and will ignore all but the last duplicate field that the decoder encounters. This is the default behavior prior to v1.23. - Warn: This will send a warning via the standard warning response header for each unknown field that is dropped from the object, and for each duplicate field that is encountered. The request will still succeed if there are no other errors, and will only persist the last of any duplicate fields. This is the default in v1.23+ - Strict: This will fail the request with a BadRequest error if any unknown fields would be dropped from the object, or if any duplicate fields are present. The error returned from the server will contain all unknown and duplicate fields encountered.",
  },
  force: {
    type: "boolean",
    description:
      'Force is going to "force" Apply requests. It means user will re-acquire conflicting fields owned by other people. Force flag must be unset for non-apply patch requests.',
  },
  gracePeriodSeconds: {
    type: "integer",
    description:
      "The duration in seconds before the object should be deleted. Value must be non-negative integer. The value zero indicates delete immediately.",
  },
  ignoreStoreReadErrorWithClusterBreakingPotential: {
    type: "boolean",
    description:
      "if set to true, it will trigger an unsafe deletion of the resource in case the normal deletion flow fails with a corrupt object error.",
  },
  labelSelector: {
    type: "string",
    description: "A selector to restrict the list of returned objects by their labels. Defaults to everything.",
  },
  limit: { type: "integer", description: "limit is a maximum number of responses to return for a list call." },
  orphanDependents: {
    type: "boolean",
    description: "Deprecated: please use the PropagationPolicy, this field will be deprecated in 1.7.",
  },
  propagationPolicy: { type: "string", description: "Whether and how garbage collection will be performed." },
  resourceVersion: {
    type: "string",
    description: "resourceVersion sets a constraint on what resource versions a request may be served from.",
  },
  resourceVersionMatch: {
    type: "string",
    description: "resourceVersionMatch determines how resourceVersion is applied to list calls.",
  },
  sendInitialEvents: {
    type: "boolean",
    description:
      "`sendInitialEvents=true` may be set together with `watch=true`. In that case, the watch stream will begin with synthetic events to produce the current state of objects in the collection.",
  },
  timeoutSeconds: {
    type: "integer",
    description:
      "Timeout for the list/watch call. This limits the duration of the call, regardless of any activity or inactivity.",
  },
  watch: {
    type: "boolean",
    description:
      "Watch for changes to the described resources and return them as a stream of add, update, and remove notifications. Specify resourceVersion.",
  },
};

const uniqueItems = true;

export function queryParameter(name: string, version: 2 | 3): Schema {
  const { type, description } = parameters[name]!;
  if (version === 2) return { uniqueItems, type, description, name, in: "query" };
  return { name, in: "query", description, schema: { type, uniqueItems } };
}

export function pathParameter(name: "name" | "namespace", kind: string, version: 2 | 3): Schema {
  const description =
    name === "name" ? `name of the ${kind}` : "object name and auth scope, such as for teams and projects";
  if (version === 2) return { uniqueItems, type: "string", description, name, in: "path", required: true };
  return { name, in: "path", description, required: true, schema: { type: "string", uniqueItems } };
}
