package chooser

import "testing"

func TestOneTypoIsForgiven(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		typed, word string
		want        closeness
	}{
		"equal":                             {"oxford", "oxford", same},
		"its beginning":                     {"oxf", "oxford", start},
		"a wrong letter":                    {"oxfird", "oxford", near},
		"a wrong first letter":              {"pxford", "oxford", near},
		"a wrong last letter":               {"oxforf", "oxford", near},
		"a letter missing":                  {"oxfrd", "oxford", near},
		"the first letter missing":          {"xford", "oxford", near},
		"a letter too many":                 {"oxxford", "oxford", near},
		"a letter too many at the end":      {"oxfords", "oxford", near},
		"neighbours swapped":                {"oxofrd", "oxford", near},
		"the first two swapped":             {"xoford", "oxford", near},
		"a wrong letter in its beginning":   {"univirs", "university", nearStart},
		"a letter missing in its beginning": {"unversi", "university", nearStart},
		"swapped in its beginning":          {"unievrs", "university", nearStart},
		"two typos":                         {"oxfirf", "oxford", apart},
		"swapped over a distance":           {"oxfdro", "oxford", apart},
		"another word":                      {"cambridge", "oxford", apart},
		"much longer than the word":         {"oxfordshire", "oxford", apart},
		"in another script":                 {"москвы", "москва", near},
		"nothing against nothing":           {"", "", same},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := compare([]rune(tc.typed), []rune(tc.word)); got != tc.want {
				t.Errorf("%d, want %d", got, tc.want)
			}
			extra := letterSet([]rune(tc.typed)) &^ letterSet([]rune(tc.word))
			if tc.want != apart && extra&(extra-1) != 0 {
				t.Error("the quick look would have missed it")
			}
		})
	}
}

func TestShortWordsAreTakenAsTheyAre(t *testing.T) {
	t.Parallel()
	x := NewIndex([]Office{{ID: "a", Name: "Bern"}, {ID: "b", Name: "Biel"}})
	for typed, want := range map[string]int{"brn": 0, "bxrn": 1, "bern": 1, "b": 2, "be": 1} {
		if r := x.Rank(Query{Text: typed}); r.Total != want {
			t.Errorf("%q finds %d, want %d", typed, r.Total, want)
		}
	}
}
