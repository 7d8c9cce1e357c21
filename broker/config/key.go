package config

// kind is the type of value that a key takes.
type kind int

const (
	kindString kind = iota
	kindBool
	kindTrue      // a switch that is only ever written as true
	kindInt       // int64
	kindNumber    // float64; integers count
	kindDuration  // Go duration as a string
	kindGrace     // duration that may be "0s", which is not the same as left out
	kindOn        // boolean that is true unless it is written as false
	kindSecret    // string, or table that says where the secret is
	kindStrings   // array of strings
	kindPrefixes  // array of CIDR prefixes
	kindStringMap // table of strings
	kindListMap   // table of arrays of strings
	kindTests     // table of claim → condition
	kindScopes    // array of strings, or table of strings
	kindTexts     // table of texts for people: each a string, or a table of strings by language
	kindTable     // table with the keys Fields
	kindTables    // array of such tables
	kindNamed     // table of such tables, by ID
)

// key is one row of the table that everything else is derived from: decoding, unknown-key checks,
// defaults, the JSON Schema, the reference and `config show`.
type key struct {
	Name       string
	Kind       kind
	Doc        string           // meaning, one or two sentences of Markdown
	Default    any              // what an absent key means; nil = see DefaultDoc
	DefaultDoc string           // the default in words, where it is not a constant
	Required   bool             // must be there
	Enum       []string         // allowed strings (of a list: allowed elements)
	Min, Max   int64            // of kindInt; of a list: number of elements; 0, 0 = no bound
	Fields     []key            // of tables
	Special    map[string][]key // of kindNamed: other Fields for one reserved ID
	OneOf      []string         // of tables: exactly one of these keys
	Unless     string           // switch beside it, or of a table in it, with which Required and OneOf do not hold
	Inline     bool             // of tables: written on one line
	Policy     bool             // may stand in trust.d
	Secret     bool             // shown shortened only
	Path       bool             // names a file, relative to the file it stands in
}

// find returns the row named exactly name.
func find(keys []key, name string) (*key, bool) {
	for i := range keys {
		if keys[i].Name == name {
			return &keys[i], true
		}
	}
	return nil, false
}

func names(keys []key) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = k.Name
	}
	return out
}
