package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"apostille/upstream/fake"
	"apostille/upstream/fetch"

	"github.com/spf13/cobra"
)

func (a *app) demoOfficeCommand() *cobra.Command {
	var issuer, name, callback, metadata string
	var people []string
	cmd := &cobra.Command{
		Use:   "office",
		Short: "Run the identity provider of a fake home office, to rehearse signing in with",
		Long: `Runs a FAKE OpenID provider on loopback until Ctrl-C: a page with one button per person and no passwords. The broker is its client
"` + officeClient + `" with the secret "` + officeSecret + `". With --metadata it speaks SAML 2.0 instead, with whom the metadata at that URL describe; its
own are at /metadata, its entityID is the issuer with /entity. Never trust it beyond a rehearsal: anyone can be anyone there.`,
		Example: `  apostille demo office --issuer http://south.localhost:7101 --name "Office South" --person "sofia=Sofia Rossi" \
    --callback http://localhost:8080/login/callback/south
  apostille demo office --issuer http://hall.localhost:7104 --name "City Hall" --person "hanna=Hanna Berg" \
    --metadata http://localhost:8080/saml/metadata`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			way := "callback"
			if metadata != "" {
				way = "metadata"
			}
			if err := demand(cmd, "issuer", way, "person"); err != nil {
				return err
			}
			o := fake.Options{Issuer: issuer, Name: name, Clients: []fake.Client{{
				ID: officeClient, Secret: officeSecret, RedirectURIs: []string{callback},
			}}}
			for _, p := range people {
				username, full, ok := strings.Cut(p, "=")
				if !ok || username == "" || full == "" {
					return usage("--person must be name=Full Name, not %q", p)
				}
				o.People = append(o.People, fake.Person{Username: username, Name: full})
			}
			if metadata != "" {
				client := fetch.New(fetch.Options{Dev: true}).Client(nil, true)
				return a.serveFake(cmd.Context(), issuer, func() http.Handler {
					return fake.NewSAMLProvider(fake.SAMLOptions{URL: issuer, Name: name, People: o.People, Parties: partyAt(client, metadata)})
				})
			}
			return a.serveFake(cmd.Context(), issuer, func() http.Handler { return fake.NewProvider(o) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&issuer, "issuer", "", "its issuer, a http URL on loopback with a port, such as http://south.localhost:7101 (required)")
	f.StringVar(&name, "name", "Fake office", "its name")
	f.StringVar(&callback, "callback", "", "where the broker takes its answers: ISSUER/login/callback/TRUST (required without --metadata)")
	f.StringVar(&metadata, "metadata", "", "speak SAML, with the service provider that the metadata at this URL describe: ISSUER/saml/metadata")
	f.StringArrayVar(&people, "person", nil, `somebody who can sign in, as name="Full Name" (repeatable, required)`)
	return cmd
}

func (a *app) demoAppCommand() *cobra.Command {
	app := &fake.App{}
	var scope string
	cmd := &cobra.Command{
		Use:   "app",
		Short: "Run a fake application that people sign in to with the broker",
		Long: `Runs a FAKE application on loopback until Ctrl-C, on unmodified OpenID Connect libraries: it finds the broker by discovery, signs people
in at /login (parameters such as prompt=none are passed on), shows who they are, and signs them out.`,
		Example: `  apostille demo app --url http://portal.localhost:7102 --broker http://localhost:8080 --client portal --secret "$SECRET"`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := demand(cmd, "url", "broker", "client", "secret"); err != nil {
				return err
			}
			app.Scopes, app.HTTP = strings.Fields(scope), fetch.New(fetch.Options{Dev: true}).Client(nil, true)
			return a.serveFake(cmd.Context(), app.URL, func() http.Handler { return app })
		},
	}
	f := cmd.Flags()
	f.StringVar(&app.URL, "url", "", "where it is reached: a http URL on loopback with a port (required)")
	f.StringVar(&app.Name, "name", "Fake application", "its name")
	f.StringVar(&app.Broker, "broker", "", "issuer of the broker (required)")
	f.StringVar(&app.ClientID, "client", "", "its client_id (required)")
	f.StringVar(&app.ClientSecret, "secret", "", "its secret (required)")
	f.StringVar(&scope, "scope", "openid profile", "what it asks for")
	f.StringVar(&app.StockURL, "stock", "", "URL of an API that it calls with the access token")
	return cmd
}

// serveFake serves a fake party at its URL until ctx ends.
func (a *app) serveFake(ctx context.Context, at string, handler func() http.Handler) error {
	u, err := url.Parse(at)
	if err != nil || u.Scheme != "http" || u.Port() == "" || u.Path != "" || !loopbackName(u.Hostname()) {
		return usage("%q must be a http URL on loopback with a port and no path, such as http://south.localhost:7101", at)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", u.Port()))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(), ReadTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	fmt.Fprintf(a.stdout, "%s is at %s\n", demoNotice, at)
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func loopbackName(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// visited is one page of demo browse.
type visited struct {
	URL    string `json:"url"` // without its query, which holds codes and states
	Status int    `json:"status"`
	Title  string `json:"title"`
	Text   string `json:"text,omitempty"` // of the last page
}

func (a *app) demoBrowseCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "browse STEP...",
		Short: "Play a person in front of a browser: open pages, press buttons, say what is shown",
		Long: `Plays a person in front of a browser (redirects, cookies, forms; no scripts) with parties on this machine. Each step is a URL to open, or
a button to press on the page that is shown then, as name=value. Says of each page where it is and what its title is, and prints the
text of the last one.`,
		Example: `  apostille demo browse http://portal.localhost:7103/login trust=south person=sofia
  apostille demo browse http://portal.localhost:7103/login trust=south person=sofia "http://portal.localhost:7103/login?prompt=none"`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, steps []string) error {
			pages, err := browse(steps)
			if err != nil {
				return err
			}
			return a.print(pages, func(w io.Writer) {
				for _, p := range pages {
					fmt.Fprintf(w, "%d %s: %s\n", p.Status, p.URL, p.Title)
				}
				fmt.Fprintln(w, pages[len(pages)-1].Text)
			})
		},
	}
}

func browse(steps []string) ([]visited, error) {
	if !isURL(steps[0]) {
		return nil, usage("the first step must be a URL to open, not %q", steps[0])
	}
	b := fake.NewBrowser(nil)
	var page *fake.Page
	var pages []visited
	for _, step := range steps {
		var err error
		if isURL(step) {
			page, err = b.Open(step)
		} else {
			name, value, _ := strings.Cut(step, "=")
			page, err = pressButton(b, page, name, value)
		}
		if err != nil {
			return nil, err
		}
		pages = append(pages, visit(page))
	}
	pages[len(pages)-1].Text = page.Text()
	return pages, nil
}

func isURL(step string) bool {
	return strings.HasPrefix(step, "http://") || strings.HasPrefix(step, "https://")
}

func visit(p *fake.Page) visited {
	return visited{URL: p.URL.Scheme + "://" + p.URL.Host + p.URL.Path, Status: p.Status, Title: p.Title()}
}

// pressButton presses the first button of that name and value, and lets forms that post themselves do so.
func pressButton(b *fake.Browser, at *fake.Page, name, value string) (*fake.Page, error) {
	var seen []string
	for _, f := range at.Forms() {
		for _, btn := range f.Buttons {
			if btn.Name == name && btn.Value == value {
				next, err := b.Send(at, f, url.Values{name: {value}})
				if err != nil {
					return nil, err
				}
				return b.Settle(next)
			}
			seen = append(seen, btn.Name+"="+btn.Value)
		}
	}
	return nil, fmt.Errorf("%s has no button %s=%s; it has: %s", at.URL.Host+at.URL.Path, name, value, strings.Join(seen, ", "))
}

// partyAt reads a service provider's metadata whenever somebody comes from it: its keys may have changed.
func partyAt(client *http.Client, at string) func(entityID string) (fake.SAMLParty, bool) {
	return func(entityID string) (fake.SAMLParty, bool) {
		res, err := client.Get(at)
		if err != nil {
			return fake.SAMLParty{}, false
		}
		defer func() { _ = res.Body.Close() }()
		metadata, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
		if err != nil {
			return fake.SAMLParty{}, false
		}
		p, err := fake.ReadSAMLParty(metadata)
		return p, err == nil && p.EntityID == entityID
	}
}
