/** A blueprint's source as that of a flow that exists: under the names the flow has. */
export function sourceFor(blueprint: string, flow?: { readonly namespace: string; readonly id: string }): string {
  if (!flow) return blueprint;
  return blueprint.replace(/^id:.*$/m, () => `id: ${flow.id}`).replace(/^namespace:.*$/m, () => `namespace: ${flow.namespace}`);
}

/** A blueprint's source as that of a dashboard that exists: under the id it has. */
export function dashboardSourceFor(blueprint: string, id?: string): string {
  return id === undefined ? blueprint : blueprint.replace(/^id:.*$/m, () => `id: ${id}`);
}
