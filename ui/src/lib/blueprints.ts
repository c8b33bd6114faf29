/** A blueprint's source as that of a flow that exists: under the names the flow has. */
export function sourceFor(blueprint: string, flow?: { readonly namespace: string; readonly id: string }): string {
  if (!flow) return blueprint;
  return blueprint.replace(/^id:.*$/m, () => `id: ${flow.id}`).replace(/^namespace:.*$/m, () => `namespace: ${flow.namespace}`);
}
