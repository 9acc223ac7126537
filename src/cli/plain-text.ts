// Text of somebody else (a device, a plugin, a broker, who answers at --url) -> what a terminal only shows: no control character, and none that
// turns the direction of writing. JSON goes out as it is.

export function plainLine(text: string): string {
  return text.replace(/\p{C}+/gu, ' ');
}

/** Its lines stay lines, but none begins like one of ours. @param between what stands between two of them: `\n` and blanks */
export function plainLines(text: string, between: string): string {
  return text.split('\n').map(plainLine).join(between);
}
