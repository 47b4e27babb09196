/* {key: [each]} as a Map; what has no key is left out. */
export function groupBy(list, keyOf) {
  const groups = new Map()
  for (const each of list) {
    const key = keyOf(each)
    if (key === undefined || key === null) continue
    if (!groups.has(key)) groups.set(key, [])
    groups.get(key).push(each)
  }
  return groups
}
