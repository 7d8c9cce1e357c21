package config

import (
	"maps"
	"strings"
	"testing"
)

func TestFaultsOfTextsAreReportedWhereTheyStand(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, written, path, text, remedy string }{
		{"a language that no page speaks", `{ en = "See stock", nl = "Voorraad zien" }`, `.nl`, "not a language of the pages", "en, de, fr, es"},
		{"a language in other case", `{ en = "See stock", DE = "Bestand sehen" }`, `.DE`, "not a language of the pages", "en, de, fr, es"},
		{"neither English nor the language of [login]", `{ de = "Bestand sehen" }`, ``, "another language", "add en"},
		{"no language at all", `{}`, ``, "no text", "write a string"},
		{"an empty text", `{ en = "See stock", de = "" }`, `.de`, "empty string", "leave the key out"},
		{"a text that is a number", `{ en = "See stock", de = 7 }`, `.de`, "expected a string", "reference"},
		{"a line break", `{ en = "See\nstock" }`, `.en`, "control character", "take it out"},
		{"an array", `["See stock"]`, ``, "expected a string, or a table", "reference"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			issues := mustFail(t, map[string]string{"apostille.toml": edit(t, base, `"stock.read" = "See stock"`, `"stock.read" = `+row.written)})
			if len(issues) != 1 {
				t.Fatalf("%d faults, want 1:\n%v", len(issues), issues)
			}
			got := issues[0]
			if got.Path != `api.warehouse.scopes."stock.read"`+row.path || !strings.Contains(got.Text, row.text) || !strings.Contains(got.Remedy, row.remedy) || got.Line != 5 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestScopesHaveWordsByLanguage(t *testing.T) {
	t.Parallel()
	const plain, several = `"stock.read" = "See stock"`, `"stock.read" = { de = "Bestand sehen", en = "See stock" }`
	for _, row := range []struct {
		name, written, language string
		want                    map[string]string
	}{
		{"one text for all", plain, "en", map[string]string{"": "See stock"}},
		{"several, beside English", several, "en", map[string]string{"": "See stock", "en": "See stock", "de": "Bestand sehen"}},
		{"several, beside German", several, "de", map[string]string{"": "Bestand sehen", "en": "See stock", "de": "Bestand sehen"}},
		{"only the language of [login]", `"stock.read" = { fr = "Voir les stocks" }`, "fr", map[string]string{"": "Voir les stocks", "fr": "Voir les stocks"}},
		{"English, where [login] has a language that is missing", several, "es", map[string]string{"": "See stock", "en": "See stock", "de": "Bestand sehen"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := mustLoad(t, map[string]string{"apostille.toml": edit(t, base, plain, row.written) + "\n[login]\nlanguage = \"" + row.language + "\"\n"})
			api, _ := c.Registry.API("warehouse")
			if got := api.Words("stock.read"); !maps.Equal(got, row.want) {
				t.Errorf("got %v, want %v", got, row.want)
			}
			if got := api.Words("stock.gone"); got[""] != "stock.gone" {
				t.Errorf("a scope that it has not: %v", got)
			}
			if text := Effective(c); !strings.Contains(text, `scopes = { "stock.order" = "Order stock", `+row.written) {
				t.Errorf("shown as\n%s", text)
			}
		})
	}
}

func TestAChangedTranslationIsAChangedSetting(t *testing.T) {
	t.Parallel()
	before := mustLoad(t, map[string]string{"apostille.toml": base})
	after := mustLoad(t, map[string]string{"apostille.toml": edit(t, base, `"See stock"`, `{ en = "See stock", de = "Bestand sehen" }`)})
	d := Compare(before, after)
	if len(d.Changes) != 1 || d.Changes[0].Path != "api.warehouse.scopes" || !strings.Contains(d.Changes[0].After, "Bestand sehen") || len(d.Gains)+len(d.Losses)+len(d.Altered) > 0 {
		t.Errorf("got %s", d)
	}
	if d := Compare(after, after); !d.Empty() {
		t.Errorf("the same differs: %s", d)
	}
}
