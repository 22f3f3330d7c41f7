/** In which language a page speaks: as the link says, else as it was chosen before, else as the browser asks. */
import type { Context } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import { type Language, LANGUAGES } from "./words.ts";

const COOKIE = "prescore_lang";
const YEAR_S = 31_536_000;

/** Remembers a choice that the query makes. */
export function languageOf(c: Context): Language {
  const chosen = known(c.req.query("lang"));
  if (chosen !== undefined) {
    setCookie(c, COOKIE, chosen, { path: "/console", maxAge: YEAR_S, sameSite: "Lax" });
    return chosen;
  }
  return known(getCookie(c, COOKIE)) ?? preferred(c.req.header("accept-language") ?? "");
}

function known(text: string | undefined): Language | undefined {
  return LANGUAGES.find((language) => language === text);
}

/** The first of the browser's languages that the console speaks (RFC 9110, section 12.5.4, the weights in order). */
function preferred(header: string): Language {
  const wanted = header.split(",").map((part) => {
    const [tag = "", ...parameters] = part.trim().split(";");
    const weight = parameters.map((text) => /^\s*q=([\d.]+)\s*$/.exec(text)?.[1]).find(Boolean);
    return { tag: tag.toLowerCase().split("-")[0], weight: Number(weight ?? 1) };
  }).sort((a, b) => b.weight - a.weight);
  return wanted.map(({ tag }) => known(tag)).find((language) => language !== undefined) ?? "ru";
}
