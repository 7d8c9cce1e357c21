package chooser

// Office is what the picker knows of a trust that people sign in with.
type Office struct {
	ID       string   // of the trust
	Name     string   // in any script
	Issuer   string   // exact; a hint may name it
	Domains  []string // of e-mail addresses; lower case, exact
	Keywords []string // further words to find it by: abbreviations, names in other scripts
	Logo     string   // https URL; "" = initials
	Hidden   bool     // never listed; reached by a hint, a domain or the memory of a choice
}

// Limits and defaults of a Query.
const (
	DefaultPerPage = 10
	maxPerPage     = 50
	maxContinue    = 3   // remembered choices that are offered
	maxText        = 100 // characters of a search that are looked at
	maxTerms       = 8   // words of a search that are looked at
)

// Query is what is known of a person who has to pick an office.
type Query struct {
	Allowed    []string // IDs of the trusts that the application takes; nil = all of them, empty = none
	Hint       string   // idp_hint: a trust ID or an issuer
	LoginHint  string   // login_hint: counts if it is an e-mail address, and then only its domain
	Remembered []string // IDs chosen before on this browser, latest first
	Select     bool     // the person wants to choose: nothing goes straight through
	Text       string   // what was typed
	Page       int      // from 1; 0 = 1
	PerPage    int      // 0 = DefaultPerPage; at most 50
}

// Ranking is the answer to a Query.
type Ranking struct {
	Direct   string   // the one office there is no choice about; "" = ask
	Continue []Office // remembered choices, while nothing is typed
	Results  []Office // one page of what to choose from, best first
	Total    int      // how many there are on all pages
	Page     int      // from 1
	Pages    int      // at least 1
	Domain   string   // of LoginHint, if it narrowed Results; else ""
	Listed   int      // how many there are to choose from, whatever was typed
}
