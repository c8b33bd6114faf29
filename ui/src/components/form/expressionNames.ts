import type { InjectionKey, Ref } from "vue";
import type { Names } from "@/lib/completion";

/** What expressions in the fields of a form can name; a form that has nothing to name provides nothing. */
export const EXPRESSION_NAMES: InjectionKey<Ref<Names>> = Symbol("names of expressions");
