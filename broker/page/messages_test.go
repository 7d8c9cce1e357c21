package page

import (
	"fmt"
	"io/fs"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestMessagesThatAreNotCompleteAreRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ english, german, want string }{
		"complete":                      {`{"x.a": "A {0}"}`, `{"x.a": "Ä {0}"}`, ""},
		"a message is missing":          {`{"x.a": "A", "x.b": "B"}`, `{"x.a": "A"}`, "x.b is missing in de"},
		"a message too many":            {`{"x.a": "A"}`, `{"x.a": "A", "x.b": "B"}`, "x.b is in de only"},
		"an argument is lost":           {`{"x.a": "A {0} {1}"}`, `{"x.a": "A {0}"}`, "x.a has other arguments in de"},
		"a message is empty":            {`{"x.a": "A"}`, `{"x.a": " "}`, "x.a is empty"},
		"a key twice":                   {`{"x.a": "A"}`, `{"x.a": "A", "x.a": "B"}`, "x.a is defined twice"},
		"a key of the frame":            {`{"page.skip": "A"}`, `{"page.skip": "A"}`, "page.skip is defined twice"},
		"not text":                      {`{"x.a": "A"}`, `{"x.a": 1}`, "x.a is not text"},
		"nested":                        {`{"x.a": "A"}`, `{"x.a": {"b": "c"}}`, "x.a is not text"},
		"no object":                     {`{"x.a": "A"}`, `["x.a"]`, "not a JSON object"},
		"something after the object":    {`{"x.a": "A"}`, `{"x.a": "A"} {}`, "something follows"},
		"cut short":                     {`{"x.a": "A"}`, `{"x.a": "A"`, "messages/de.json"},
		"a value of another kind: null": {`{"x.a": "A"}`, `{"x.a": null}`, "x.a is not text"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := messagesOf(tc.english)
			folder["messages/de.json"] = &fstest.MapFile{Data: []byte(tc.german)}
			_, err := New(Options{Messages: []fs.FS{folder}})
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}

// recording is a TB that keeps what is said.
type recording struct{ said []string }

func (r *recording) Helper()                   {}
func (r *recording) Errorf(f string, a ...any) { r.said = append(r.said, fmt.Sprintf(f, a...)) }

func TestCheckMessagesFindsWhatATemplateLacks(t *testing.T) {
	t.Parallel()
	folder := messagesOf(`{"x.a": "A", "y.b": "B"}`)
	folder["templates/x.html"] = &fstest.MapFile{Data: []byte(`{{T "x.a"}} {{T "page.skip"}} {{T "x.gone" 1}}`)}
	var said recording
	CheckMessages(&said, folder, "x")
	if all := strings.Join(said.said, "\n"); len(said.said) != 2 || !strings.Contains(all, "x.gone") || !strings.Contains(all, "y.b") {
		t.Errorf("said %q", said.said)
	}
	said = recording{}
	CheckMessages(&said, messagesOf(`{"x.a": "A"}`), "x")
	if len(said.said) != 0 {
		t.Errorf("said %q of a complete folder", said.said)
	}
}

func TestArgumentsAreFilledInOnce(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text, lang string
		args       []any
		want       string
	}{
		"in another order":                       {"{1} of {0}", "en", []any{"a", "b"}, "b of a"},
		"a value that looks like a placeholder":  {"{0} {1}", "en", []any{"{1}", "x"}, "{1} x"},
		"none":                                   {"plain {0}", "en", nil, "plain {0}"},
		"a number in English":                    {"{0}", "en", []any{8000}, "8,000"},
		"a number in German":                     {"{0}", "de", []any{1234567}, "1.234.567"},
		"a number in French":                     {"{0}", "fr", []any{8000}, "8\u202f000"},
		"a number in Spanish":                    {"{0}", "es", []any{8000}, "8000"},
		"a greater number in Spanish":            {"{0}", "es", []any{18000}, "18\u202f000"},
		"a small number":                         {"{0}", "en", []any{12}, "12"},
		"a name that turns the text round":       {"Continue to {0}.", "en", []any{"\u202eevil"}, "Continue to evil."},
		"a name with line breaks, much too long": {"{0}", "en", []any{"a \n b" + strings.Repeat("x", 500)}, "a b" + strings.Repeat("x", 157) + "…"},
		"a name in a script from right to left":  {"{0}", "en", []any{"الجامعة الأردنية"}, "الجامعة الأردنية"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := fill(tc.text, tc.lang, tc.args); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

func TestTheLanguageIsTheOneThatIsWantedMost(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ target, accept, fallback, want string }{
		"nothing is wanted":                       {"/", "", "", "en"},
		"nothing is wanted, another default":      {"/", "", "fr", "fr"},
		"Accept-Language with weights":            {"/", "fr;q=0.5, de;q=0.8", "", "de"},
		"a region":                                {"/", "de-CH", "", "de"},
		"another region":                          {"/", "es-419, en;q=0.2", "", "es"},
		"a language that is not spoken, then one": {"/", "ja, fr;q=0.3", "", "fr"},
		"only languages that are not spoken":      {"/", "ja, zh", "es", "es"},
		"any language":                            {"/", "*", "de", "de"},
		"ui_locales goes first":                   {"/?ui_locales=fr-CA+fr+en", "de", "", "fr"},
		"ui_locales that is not spoken":           {"/?ui_locales=ja", "de", "", "de"},
		"malformed wishes":                        {"/?ui_locales=%00%ff..", "de;q=;;;", "", "en"},
		"a list that is too long":                 {"/", strings.Repeat("de,", 500), "", "en"},
		"a parameter that only looks like it":     {"/?x=ui_locales", "de", "", "de"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, _ := newRenderer(t, Options{Language: tc.fallback})
			if got := r.Language(get(tc.target, "Accept-Language", tc.accept)); got != tc.want {
				t.Errorf("%s, want %s", got, tc.want)
			}
		})
	}
	t.Run("wishes of the request that led here stand between", func(t *testing.T) {
		t.Parallel()
		r, _ := newRenderer(t, Options{})
		w := httptest.NewRecorder()
		r.Error(w, get("/", "Accept-Language", "de"), ErrorPage{Locales: []string{"ja", "es"}})
		if got := w.Header().Get("Content-Language"); got != "es" {
			t.Errorf("%s, want es", got)
		}
	})
	t.Run("a default that is not spoken is refused", func(t *testing.T) {
		t.Parallel()
		if _, err := New(Options{Language: "ja"}); err == nil {
			t.Error("no error")
		}
	})
}

func FuzzLanguage(f *testing.F) {
	f.Add("de-CH-1996;q=0.5,*", "fr en")
	r, err := New(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, accept, locales string) {
		req := get("/", "Accept-Language", accept)
		if lang := r.language(req, []string{locales}); languageNames[lang] == "" {
			t.Errorf("language %q", lang)
		}
	})
}
