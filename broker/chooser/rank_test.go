package chooser

import (
	"slices"
	"testing"
)

// five offices: two share a domain, two an issuer, one is hidden.
var five = []Office{
	{ID: "head", Name: "Head Office", Issuer: "https://idp.hq.example", Domains: []string{"hq.example", "hmart.example"}},
	{ID: "west", Name: "Western Region", Issuer: "https://idp.west.example", Domains: []string{"west.example", "hmart.example"}},
	{ID: "east", Name: "Eastern Region", Issuer: "https://idp.shared.example", Domains: []string{"east.example"}},
	{ID: "north", Name: "Northern Region", Issuer: "https://idp.shared.example", Domains: []string{"north.example"}},
	{ID: "lab", Name: "Laboratory", Issuer: "https://idp.lab.example", Domains: []string{"lab.example"}, Hidden: true},
}

func ids(list []Office) (all []string) {
	for _, o := range list {
		all = append(all, o.ID)
	}
	return all
}

func TestWhatIsKnownOfARequestDecidesWhatIsAsked(t *testing.T) {
	t.Parallel()
	x := NewIndex(five)
	listed := []string{"east", "head", "north", "west"}
	tests := map[string]struct {
		q             Query
		direct        string
		results, cont []string
		domain        string
	}{
		"nothing is known":                                       {q: Query{}, results: listed},
		"a hint names a trust":                                   {q: Query{Hint: "west"}, direct: "west"},
		"a hint names an issuer":                                 {q: Query{Hint: "https://idp.hq.example"}, direct: "head"},
		"a hint names an issuer that two trusts share":           {q: Query{Hint: "https://idp.shared.example"}, results: []string{"east", "north"}},
		"… of which the application takes one":                   {q: Query{Hint: "https://idp.shared.example", Allowed: []string{"north", "head"}}, direct: "north"},
		"a hint names a hidden trust":                            {q: Query{Hint: "lab"}, direct: "lab"},
		"a hint names a trust that the application refuses":      {q: Query{Hint: "west", Allowed: []string{"head", "east"}}, results: []string{"east", "head"}},
		"a hint names nothing":                                   {q: Query{Hint: "Western"}, results: listed},
		"an address of one office":                               {q: Query{LoginHint: "Jo@WEST.example"}, direct: "west"},
		"an address of two offices":                              {q: Query{LoginHint: "jo@hmart.example"}, results: []string{"head", "west"}, domain: "hmart.example"},
		"… two offices of which the application takes one":       {q: Query{LoginHint: "jo@hmart.example", Allowed: []string{"west", "east"}}, direct: "west"},
		"an address of a hidden office":                          {q: Query{LoginHint: "jo@lab.example"}, direct: "lab"},
		"an address of a subdomain, which is another domain":     {q: Query{LoginHint: "jo@mail.west.example"}, results: listed},
		"an address of nobody":                                   {q: Query{LoginHint: "jo@else.example"}, results: listed},
		"a hint goes before an address":                          {q: Query{Hint: "east", LoginHint: "jo@west.example"}, direct: "east"},
		"the application takes one office":                       {q: Query{Allowed: []string{"east"}}, direct: "east"},
		"the application takes one office, and it is hidden":     {q: Query{Allowed: []string{"lab"}}, direct: "lab"},
		"the application takes one listed and one hidden":        {q: Query{Allowed: []string{"lab", "east"}}, direct: "east"},
		"the application takes none":                             {q: Query{Allowed: []string{}}},
		"the application takes what does not exist":              {q: Query{Allowed: []string{"gone"}}},
		"a choice is remembered":                                 {q: Query{Remembered: []string{"west"}}, results: listed, cont: []string{"west"}},
		"remembered choices: latest first, none twice":           {q: Query{Remembered: []string{"lab", "west", "lab", "gone", "head", "east"}}, results: listed, cont: []string{"lab", "west", "head"}},
		"a remembered choice that the application refuses":       {q: Query{Remembered: []string{"west"}, Allowed: []string{"head", "east"}}, results: []string{"east", "head"}},
		"one candidate, but the person wants to choose":          {q: Query{Allowed: []string{"east"}, Select: true}, results: []string{"east"}},
		"a hint, but the person wants to choose":                 {q: Query{Hint: "west", Select: true, Remembered: []string{"west"}}, results: listed, cont: []string{"west"}},
		"something is typed: nothing goes through by itself":     {q: Query{Hint: "west", Text: "east", Remembered: []string{"west"}}, results: []string{"east"}},
		"everything is asked for, past a hint":                   {q: Query{Hint: "west", Text: everything}, results: listed},
		"a hidden office is not found by name":                   {q: Query{Text: "laboratory"}},
		"a hidden office is found by its address":                {q: Query{Text: "jo@lab.example"}, results: []string{"lab"}},
		"an office that the application refuses is not found":    {q: Query{Text: "west", Allowed: []string{"head", "east"}}},
		"… nor by an address":                                    {q: Query{Text: "jo@west.example", Allowed: []string{"head", "east"}}},
		"only white space is typed":                              {q: Query{Text: "  \t"}, results: listed},
		"only punctuation is typed":                              {q: Query{Text: "?!."}},
		"a typo is no reason to leave the application's offices": {q: Query{Text: "wextern", Allowed: []string{"head", "east"}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := x.Rank(tc.q)
			if r.Direct != tc.direct || !slices.Equal(ids(r.Results), tc.results) || !slices.Equal(ids(r.Continue), tc.cont) || r.Domain != tc.domain {
				t.Errorf("direct %q results %v continue %v domain %q, want %q %v %v %q", r.Direct, ids(r.Results), ids(r.Continue), r.Domain, tc.direct, tc.results, tc.cont, tc.domain)
			}
			if tc.direct == "" && (r.Total != len(tc.results) || r.Pages != 1 || r.Page != 1) {
				t.Errorf("total %d, page %d of %d", r.Total, r.Page, r.Pages)
			}
		})
	}
}

func TestPagesCoverEveryOfficeOnce(t *testing.T) {
	t.Parallel()
	x := NewIndex(manyOffices(8000))
	seen := map[string]bool{}
	for page := 1; page <= 800; page++ {
		r := x.Rank(Query{Page: page})
		if r.Pages != 800 || r.Page != page || r.Total != 8000 || r.Listed != 8000 || len(r.Results) != DefaultPerPage {
			t.Fatalf("page %d: %d of %d, %d of %d", page, r.Page, r.Pages, len(r.Results), r.Total)
		}
		for _, o := range r.Results {
			seen[o.ID] = true
		}
	}
	if len(seen) != 8000 {
		t.Errorf("%d offices seen", len(seen))
	}
	for asked, want := range map[int]int{-3: 1, 0: 1, 801: 800, 1 << 40: 800} {
		if r := x.Rank(Query{Page: asked}); r.Page != want {
			t.Errorf("page %d is %d, want %d", asked, r.Page, want)
		}
	}
	if r := x.Rank(Query{PerPage: 1 << 30}); len(r.Results) != maxPerPage {
		t.Errorf("%d on a page", len(r.Results))
	}
}

func TestOfficesAreListedAsPeopleCount(t *testing.T) {
	t.Parallel()
	x := NewIndex([]Office{{ID: "a", Name: "Office 10"}, {ID: "b", Name: "Éfice"}, {ID: "c", Name: "office 9"}, {ID: "d"}, {ID: "a", Name: "again"}, {ID: "e", Name: "\u202e\x00"}})
	if got := names(x.Rank(Query{}).Results); !slices.Equal(got, []string{"d", "e", "Éfice", "office 9", "Office 10"}) {
		t.Errorf("%q", got)
	}
	if o, ok := x.Office("c"); !ok || o.Name != "office 9" {
		t.Errorf("%v %v", o, ok)
	}
	if _, ok := x.Office("gone"); ok {
		t.Error("an office that does not exist")
	}
}

func TestRankingIsAFunctionOfTheQuery(t *testing.T) {
	t.Parallel()
	offices := manyOffices(500)
	x := NewIndex(offices)
	slices.Reverse(offices)
	y := NewIndex(offices)
	for _, text := range typing() {
		a, b := x.Rank(Query{Text: text}), y.Rank(Query{Text: text})
		if !slices.Equal(ids(a.Results), ids(b.Results)) || a.Total != b.Total {
			t.Errorf("%q: %v and %v", text, ids(a.Results), ids(b.Results))
		}
	}
}

func FuzzRank(f *testing.F) {
	for _, s := range []string{"ucla", "a@evil@corp", "東京", "\xff\xfe", "e\u0301\u0301", "...", "*"} {
		f.Add(s, s, s, 1)
	}
	x := NewIndex(manyOffices(200))
	f.Fuzz(func(t *testing.T, text, hint, login string, page int) {
		r := x.Rank(Query{Text: text, Hint: hint, LoginHint: login, Page: page, Allowed: []string{"real-1", "real-2", "t5"}})
		for _, o := range r.Results {
			if o.ID != "real-1" && o.ID != "real-2" && o.ID != "t5" {
				t.Errorf("%s is not allowed", o.ID)
			}
		}
		if r.Page < 1 || r.Page > r.Pages || r.Listed != 3 {
			t.Errorf("%+v", r)
		}
	})
}
