package account_test

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"apostille/broker/account"
	"apostille/broker/audit"
	"apostille/broker/page"
	"apostille/broker/session"
	"apostille/broker/store"
	"apostille/broker/store/memory"
	"apostille/trust"
)

// anna is signed in, whoever asks.
type anna struct{}

func (anna) Current(*http.Request) (*session.Session, error) {
	return &session.Session{Session: store.Session{ID: "s1", Identities: []store.Identity{{Trust: "hq", Sub: "anna"}}}}, nil
}

func TestWhatApplicationsMayDoIsToldInTheLanguageOfThePage(t *testing.T) {
	t.Parallel()
	reg, problems := trust.Compile(trust.Spec{
		Issuer: "https://id.example",
		APIs: map[string]trust.APISpec{"warehouse": {
			Audience: "https://warehouse.example", Scopes: map[string]string{"stock.read": "See stock", "stock.order": "Order stock"},
			Words: map[string]map[string]string{"stock.read": {"de": "Bestand <sehen>"}},
		}},
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	kept := memory.New(memory.Options{Now: time.Now})
	err := kept.PutConsent(t.Context(), store.Consent{Sub: "anna", Client: "shop", Given: time.Now(),
		Scopes: map[string][]string{"warehouse": {"stock.read", "stock.order", "stock.gone"}, "gone": {"old.scope"}, "userinfo": {"profile"}}})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := page.New(page.Options{Messages: []fs.FS{account.Messages}})
	if err != nil {
		t.Fatal(err)
	}
	recent := account.NewRecent(&trail{})
	for _, ev := range []audit.Event{
		{Audiences: []string{"https://id.example"}, Granted: []string{"email", "openid"}},
		{Audiences: []string{"https://warehouse.example", "https://gone.example"}, Granted: []string{"stock.order"}},
	} {
		ev.Event, ev.Subject, ev.Client = audit.EventIssued, "anna", "shop"
		if err := recent.Record(t.Context(), &ev); err != nil {
			t.Fatal(err)
		}
	}
	e := &account.Endpoint{Registry: func() account.Registry { return reg }, Sessions: anna{}, Store: kept, Recent: recent,
		Pages: pages, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	for locale, want := range map[string][]string{
		"de": {"Bestand &lt;sehen&gt;", "Order stock", "stock.gone", "old.scope", "Ihren Namen", "E-Mail", "UTC · warehouse · https://gone.example"},
		"fr": {"See stock", "Order stock", "stock.gone", "old.scope", "nom", "adresse", "UTC · warehouse"},
	} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequest("GET", "/account?ui_locales="+locale, nil))
		for _, text := range want {
			if !strings.Contains(w.Body.String(), text) {
				t.Errorf("in %s the page does not say %q:\n%s", locale, text, w.Body)
			}
		}
		if _, recent, _ := strings.Cut(w.Body.String(), `id="recent"`); strings.Contains(recent, "stock.order") || strings.Contains(recent, "https://id.example") {
			t.Errorf("in %s recent tokens are told in names of programs:\n%s", locale, recent)
		}
	}
}
