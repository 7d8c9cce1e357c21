package chooser

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// letters are what compatibility decomposition leaves alone and people type otherwise.
var letters = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ð': "d", 'þ': "th", 'ł': "l", 'ħ': "h", 'ı': "i", 'ŋ': "n", 'ŧ': "t", 'ə': "e",
	'ς': "σ", 'ى': "ي", 'ة': "ه", 'ـ': "", 'ک': "ك", 'ی': "ي",
}

// spelled are letters that are also written with two, when the keyboard has no others.
var spelled = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "å", "aa", "ø", "oe", "Ä", "ae", "Ö", "oe", "Ü", "ue", "Å", "aa", "Ø", "oe")

// fold makes spellings equal that people take for equal: case, accents, width, ligatures, the two kana, final forms.
func fold(s string) string {
	if ascii(s) {
		return strings.ToLower(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range norm.NFKD.String(s) {
		r = unicode.ToLower(r)
		if accent(r) {
			continue
		}
		if other, ok := letters[r]; ok {
			b.WriteString(other)
			continue
		}
		if r >= 'ァ' && r <= 'ヶ' { // katakana → hiragana
			r -= 'ァ' - 'ぁ'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// accent says whether a mark may be left out. The vowel signs of the scripts of South and Southeast Asia are marks as well, and
// may not.
func accent(r rune) bool {
	if r < 0x300 || !unicode.Is(unicode.Mn, r) {
		return false
	}
	return r < 0x900 || r >= 0x1ab0 && r < 0x1b00 || r >= 0x1dc0 && r < 0x1e00 || r >= 0x20d0 && r < 0x2100 ||
		r == 0x3099 || r == 0x309a || r >= 0xfe20 && r < 0xfe30
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// inWord says whether a character is part of a word.
func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

func apostrophe(r rune) bool { return r == '\'' || r == '’' || r == 'ʼ' || r == '`' || r == '´' }

// words splits what is folded. An apostrophe joins: King's is kings.
func words(folded string) []string {
	if strings.ContainsFunc(folded, apostrophe) {
		folded = strings.Map(func(r rune) rune {
			if apostrophe(r) {
				return -1
			}
			return r
		}, folded)
	}
	return strings.FieldsFunc(folded, func(r rune) bool { return !inWord(r) })
}

// unspaced says whether a script writes words without spaces between them: a search may begin anywhere in such a run.
func unspaced(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// suffixes are the places inside a word where a search may begin: every character of a script without spaces.
func suffixes(word string) (list []string) {
	for i, r := range word {
		if i > 0 && unspaced(r) {
			list = append(list, word[i:])
		}
	}
	return list
}

// little are words that may be missing from a search or a name, and that abbreviations leave out.
var little = func() map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields("of the and at for in on a an de la le les l du des d et en au aux der die das den dem und fur fuer von vom zu zur zum im am an " +
		"del della delle dei di e il lo gli do da dos das y el los las van het een voor och i na w og af") {
		set[w] = true
	}
	return set
}()

// english are the little words of English alone: "Los Angeles" begins with a little word of Spanish and is UCLA's LA all the same.
var english = map[string]bool{"of": true, "the": true, "and": true, "at": true, "for": true, "in": true, "on": true, "a": true, "an": true}

// abbreviations are what the first letters of a name spell, with and without little words. Names of one word have none.
func abbreviations(names []string) []string {
	var all, most, few strings.Builder
	for _, w := range names {
		r, _ := utf8.DecodeRuneInString(w)
		all.WriteRune(r)
		if !english[w] {
			most.WriteRune(r)
		}
		if !little[w] {
			few.WriteRune(r)
		}
	}
	var list []string
	for _, s := range []string{few.String(), most.String(), all.String()} {
		if utf8.RuneCountInString(s) >= 2 && (len(list) == 0 || list[len(list)-1] != s) {
			list = append(list, s)
		}
	}
	return list
}
