package page

import (
	"hash/fnv"
	"strings"
	"unicode"
)

// avatarColours is how many classes c0, c1, … the style sheet has.
const avatarColours = 8

// Avatar stands for something without a picture: up to two initials and a colour that stays the same for a name.
type Avatar struct {
	Initials string
	Class    string // c0 … c7
}

// NewAvatar makes the avatar of a name.
func NewAvatar(name string) Avatar {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return Avatar{Initials: initials(name), Class: "c" + string(rune('0'+h.Sum32()%avatarColours))}
}

// initials are the first letters of the first two words that begin with a capital, or of the first word. A script without
// capitals gives one character, which says enough.
func initials(name string) string {
	var out []rune
	for _, word := range strings.FieldsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) && r != '\'' && r != '’'
	}) {
		first := []rune(word)[0]
		if len(out) > 0 && !unicode.IsUpper(first) && !unicode.IsDigit(first) {
			continue
		}
		if out = append(out, unicode.ToUpper(first)); len(out) == 2 {
			break
		}
	}
	return string(out)
}
