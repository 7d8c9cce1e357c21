package chooser

// closeness is how a typed word relates to one of the index.
type closeness uint8

const (
	apart     closeness = iota
	nearStart           // one typo away from its beginning
	near                // one typo away
	start               // its beginning
	same
)

// minTypo is how many letters a typed word must have for a typo in it to be forgiven.
const minTypo = 4

// compare says whether typed is at most one letter away from word or from its beginning: one letter wrong, missing, too many, or
// two neighbours swapped (Damerau-Levenshtein distance 1). With distance 1 the edit can always stand where the two first differ.
func compare(typed, word []rune) closeness {
	i := 0
	for i < len(typed) && i < len(word) && typed[i] == word[i] {
		i++
	}
	switch {
	case i == len(typed) && i == len(word):
		return same
	case i == len(typed):
		return start
	}
	best := begins(typed[i+1:], word[i:]) // one too many
	if i < len(word) {
		best = max(best, begins(typed[i+1:], word[i+1:]), begins(typed[i:], word[i+1:])) // wrong, missing
	}
	if i+1 < len(word) && i+1 < len(typed) && typed[i] == word[i+1] && typed[i+1] == word[i] {
		best = max(best, begins(typed[i+2:], word[i+2:])) // swapped
	}
	return best
}

// begins says how rest begins with typed, one typo having been spent.
func begins(typed, rest []rune) closeness {
	if len(typed) > len(rest) {
		return apart
	}
	for i, r := range typed {
		if rest[i] != r {
			return apart
		}
	}
	if len(typed) == len(rest) {
		return near
	}
	return nearStart
}

// letterSet is which letters a word has, coarsely: a quick reason why two words are not close.
func letterSet(word []rune) (set uint64) {
	for _, r := range word {
		set |= 1 << (uint32(r) % 61)
	}
	return set
}
