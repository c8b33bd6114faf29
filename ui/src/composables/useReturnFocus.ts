import { watch, type Ref } from "vue";

/**
 * Where the focus goes when a dialog closes: back to what opened it, be it the menu's button whose item is gone by
 * then, or into the page when the opener itself is gone.
 */
export function useReturnFocus(open: Readonly<Ref<boolean>>): (event: Event) => void {
  let opener: HTMLElement | undefined;
  watch(
    open,
    (isOpen) => {
      if (isOpen) opener = openerOf(document.activeElement);
    },
    { flush: "sync", immediate: true },
  );
  return (event) => {
    event.preventDefault();
    const isThere = opener?.isConnected === true && opener !== document.body;
    (isThere ? opener : document.getElementById("content"))?.focus();
  };
}

function openerOf(element: Element | null): HTMLElement | undefined {
  const name = element?.closest("[role=menu]")?.getAttribute("aria-labelledby");
  const opener = name ? document.getElementById(name) : element;
  return opener instanceof HTMLElement ? opener : undefined;
}
