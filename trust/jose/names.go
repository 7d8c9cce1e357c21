package jose

import (
	"errors"
	"strings"
	"unicode"
)

// readNames are the top-level claims that this program, or a library it hands a token to, reads by name. A case variant of one
// ("SUB") is refused: a reader that folds case (encoding/json does, with the Unicode folds of s and k as well) would take it for the claim.
var readNames = nameSet(`iss sub aud exp nbf iat jti azp scope scp client_id nonce typ act may_act cnf acr amr auth_time
	at_hash c_hash s_hash events sid idp links email email_verified`)

func nameSet(names string) map[string]bool {
	set := map[string]bool{}
	for name := range strings.FieldsSeq(names) {
		set[name] = true
	}
	return set
}

var errVariant = errors.New("member is a case variant of another or of a registered name")

// checkNames refuses a claims object in which two readers could disagree about a name.
func checkNames(claims map[string]any) error {
	var folded map[string]bool // of names that are not their own fold; nearly always none
	for name := range claims {
		if isFolded(name) {
			continue
		}
		f := fold(name)
		if _, twin := claims[f]; twin || readNames[f] || folded[f] {
			return errVariant
		}
		if folded == nil {
			folded = map[string]bool{}
		}
		folded[f] = true
	}
	return nil
}

// isFolded says, quickly, that fold would return the name itself.
func isFolded(name string) bool {
	for i := range len(name) {
		if c := name[i]; 'A' <= c && c <= 'Z' || c >= 0x80 {
			return false
		}
	}
	return true
}

// fold maps strings that are equal under strings.EqualFold to one string, which is lower case in ASCII.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		if 'A' <= least && least <= 'Z' {
			least += 'a' - 'A'
		}
		return least
	}, name)
}
