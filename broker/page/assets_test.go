package page

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestAssetsAreKeptForEverUnderTheirHash(t *testing.T) {
	t.Parallel()
	r, _ := newRenderer(t, Options{Base: "/id"})
	link, err := r.asset("page.css")
	if err != nil || !strings.HasPrefix(link, "/id/assets/page.") {
		t.Fatalf("%q, %v", link, err)
	}
	for accept, want := range map[string]string{"": "", "gzip, br": "gzip", "gzip;q=0": "", "br": "", "GZIP;q=0.5": "gzip"} {
		w := httptest.NewRecorder()
		r.Assets().ServeHTTP(w, get(link, "Accept-Encoding", accept))
		h := w.Header()
		if w.Code != http.StatusOK || h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("X-Content-Type-Options") != "nosniff" ||
			h.Get("Content-Type") != "text/css; charset=utf-8" || h.Get("Content-Encoding") != want || h.Get("Vary") != "Accept-Encoding" {
			t.Errorf("accepting %q: %d %v", accept, w.Code, h)
		}
		var body io.Reader = w.Body
		if want == "gzip" {
			if body, err = gzip.NewReader(w.Body); err != nil {
				t.Fatal(err)
			}
		}
		text, err := io.ReadAll(body)
		file, _ := os.ReadFile("assets/page.css")
		if err != nil || string(text) != string(file) {
			t.Errorf("accepting %q: another text, %v", accept, err)
		}
	}
}

func TestAssetsServeNothingElse(t *testing.T) {
	t.Parallel()
	r, _ := newRenderer(t, Options{})
	for _, target := range []string{"/assets/page.css", "/assets/", "/assets/../messages/en.json", "/assets/messages/en.json", "/assets/page.0000000000000000.css"} {
		w := httptest.NewRecorder()
		r.Assets().ServeHTTP(w, get(target))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", target, w.Code)
		}
	}
	w := httptest.NewRecorder()
	r.Assets().ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/assets/x", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", w.Code, w.Header())
	}
}

func TestAFolderOfAPackageBringsItsAssets(t *testing.T) {
	t.Parallel()
	with := func(name string) fs.FS {
		folder := messagesOf(`{"x.a": "A"}`)
		folder["assets/"+name] = &fstest.MapFile{Data: []byte("x")}
		return folder
	}
	tests := map[string]struct {
		name string
		ok   bool
	}{
		"a script":                     {"x.js", true},
		"a name of the frame":          {"page.css", false},
		"a kind that could run in it":  {"x.html", false},
		"a kind that nobody knows":     {"x.exe", false},
		"a picture of ours is allowed": {"x.png", true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := New(Options{Messages: []fs.FS{with(tc.name)}})
			if (err == nil) != tc.ok {
				t.Fatalf("error %v", err)
			}
			if tc.ok {
				if _, err := r.asset(tc.name); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestAContactIsALinkWhereItCanBeOne(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]Contact{
		"the service desk, room 12":      {Text: "the service desk, room 12"},
		"help@hmart.example":             {Text: "help@hmart.example", URL: "mailto:help@hmart.example"},
		"mailto:help@hmart.example?cc=x": {Text: "help@hmart.example", URL: "mailto:help@hmart.example?cc=x"},
		"https://help.hmart.example/it/": {Text: "help.hmart.example/it", URL: "https://help.hmart.example/it/"},
		"javascript:alert(1)":            {Text: "javascript:alert(1)"},
		"call Ann (ann@hmart.example)":   {Text: "call Ann (ann@hmart.example)"},
		"":                               {},
	} {
		if got := parseContact(s); got != want {
			t.Errorf("%q: %+v, want %+v", s, got, want)
		}
	}
}

func TestInitialsStandForANameInAnyScript(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"HMart Head Office": "HH", "University of California": "UC", "東京大学": "東", "hmart": "H", "Московский университет": "М", "King's College": "KC",
		"": "", "<script>": "S", "Éts. 4 Vents": "É4", "الجامعة الأردنية": "ا",
	} {
		if got := NewAvatar(name); got.Initials != want || len(got.Class) != 2 {
			t.Errorf("%q: %+v, want %s", name, got, want)
		}
	}
	if first, again := NewAvatar("a"), NewAvatar("a"); first != again {
		t.Error("a name has two colours")
	}
}
