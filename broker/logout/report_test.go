package logout_test

import (
	"context"
	"errors"
	"html"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"apostille/broker/audit"
	"apostille/broker/logout"
	"apostille/broker/page"
	"apostille/broker/seal"
	"apostille/broker/session"
	"apostille/broker/store"
	"apostille/trust"
)

// desk is a logout endpoint whose browser is signed in, with families that began there.
type desk struct {
	*bench
	*logout.Endpoint
	in       *session.Session
	families []store.Family
}

func (d *desk) Current(*http.Request) (*session.Session, error) { return d.in, nil }
func (d *desk) End(http.ResponseWriter, *http.Request) (*session.Ended, error) {
	out := &session.Ended{Sessions: []store.Session{d.in.Session}, Families: d.families}
	d.in = nil
	return out, nil
}
func (*desk) LogoutURL(context.Context, *trust.Trust, string, string, string) (string, error) {
	return "", nil
}

type nowhere struct{}

func (nowhere) Record(context.Context, *audit.Event) error { return nil }

func newDesk(t *testing.T, clients ...string) *desk {
	t.Helper()
	pages, err := page.New(page.Options{Messages: []fs.FS{logout.Messages}})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{bench: newBench(t)}
	d.reg["framed"] = &trust.Client{ID: "framed", Spec: trust.ClientSpec{App: &trust.AppSpec{FrontchannelLogoutURI: "https://framed.example/bye"}}}
	d.in = &session.Session{Session: store.Session{ID: "s-1", Identities: []store.Identity{{Trust: "hq", Sub: "anna"}}}}
	for _, c := range clients {
		d.families = append(d.families, family(c, "sid"))
	}
	d.Endpoint = &logout.Endpoint{
		Registry: func() logout.Registry { return d.reg }, Sessions: d, Offices: d, Box: seal.New(make([]byte, 32)), Pages: pages,
		Tell: d.Deliveries, Audit: nowhere{}, Remote: func(*http.Request) string { return "" },
		Now: func() time.Time { return d.bench.now }, Log: slog.New(slog.DiscardHandler),
	}
	return d
}

func (d *desk) get(h http.Handler, path string) (int, string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "https://id.west.example"+path, nil))
	return w.Code, w.Body.String()
}

var sealedForm = regexp.MustCompile(`name="r" value="([^"]+)"`)

// leave signs out and returns the last page.
func (d *desk) leave(t *testing.T) string {
	t.Helper()
	_, question := d.get(d, logout.Path)
	found := sealedForm.FindStringSubmatch(question)
	if found == nil {
		t.Fatalf("no question: %s", question)
	}
	r := httptest.NewRequest(http.MethodPost, "https://id.west.example"+logout.ConfirmPath,
		strings.NewReader(url.Values{"r": {html.UnescapeString(found[1])}, "decision": {"leave"}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	d.Confirm().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

var reportLink = regexp.MustCompile(`href="(` + logout.ReportPath + `[^"]+)"`)

// again is where a page says that more can be seen; "" = nowhere.
func again(text string) string {
	if found := reportLink.FindStringSubmatch(text); found != nil {
		return html.UnescapeString(found[1])
	}
	return ""
}

// The page said "is being told" for ever.
func TestTheReportFollowsWhatApplicationsAnswer(t *testing.T) {
	t.Parallel()
	const queued, trying, confirmed, givenUp = "is being told", "has not answered yet", "has confirmed", "could not be told"
	for name, c := range map[string]struct {
		code  int
		steps []time.Duration // attempts, each so long after the one before
		says  string
		ends  bool // nothing more will come
	}{
		"nobody was asked yet":             {200, nil, queued, false},
		"it confirms":                      {200, []time.Duration{0}, confirmed, true},
		"it does not answer as it should":  {503, []time.Duration{0}, trying, false},
		"it never does":                    {503, []time.Duration{0, time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute}, givenUp, true},
		"a page of its own is no answer":   {302, []time.Duration{0}, trying, false},
		"it says that it could not (§2.8)": {400, []time.Duration{0}, trying, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "told", "silent")
			d.code.Store(int32(c.code))
			last := d.leave(t)
			link := again(last)
			if !strings.Contains(last, queued) || strings.Contains(last, "silent") || link == "" {
				t.Fatalf("%s", last)
			}
			for _, pause := range c.steps {
				d.bench.now = d.bench.now.Add(pause)
				d.Step(t.Context())
			}
			status, report := d.get(d.Report(), link)
			if status != http.StatusOK || !strings.Contains(report, c.says) {
				t.Errorf("%d %s", status, report)
			}
			for _, other := range []string{queued, trying, confirmed, givenUp} {
				if other != c.says && strings.Contains(report, other) {
					t.Errorf("it also says %q", other)
				}
			}
			if (again(report) == "") != c.ends {
				t.Errorf("look again: %q", again(report))
			}
		})
	}
}

func TestAnApplicationThatIsAskedInTheBrowserIsNeverSaidToHaveDoneIt(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "framed", "told")
	last := d.leave(t)
	if !strings.Contains(last, `src="https://framed.example/bye?iss=`) || !strings.Contains(last, "was asked to sign you out") {
		t.Fatalf("%s", last)
	}
	d.Step(t.Context())
	_, report := d.get(d.Report(), again(last))
	if !strings.Contains(report, "framed") || !strings.Contains(report, "was asked to sign you out") || strings.Count(report, "has confirmed") != 1 {
		t.Errorf("%s", report)
	}
	if strings.Contains(report, "<iframe") {
		t.Error("to look again asks it again")
	}
	alone := newDesk(t, "framed")
	if last := alone.leave(t); again(last) != "" { // nothing will ever be known
		t.Errorf("%s", last)
	}
}

// A browser may leave more than one session behind, and families of one that is over by now.
func TestTheReportFollowsFamiliesOfOtherSessions(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "told")
	d.reg["sibling"] = &trust.Client{ID: "sibling", Spec: d.reg["told"].Spec}
	other := family("sibling", "sid")
	other.Session = "s-0"
	d.families = append(d.families, other)
	last := d.leave(t)
	d.Step(t.Context())
	if _, report := d.get(d.Report(), again(last)); strings.Count(report, "has confirmed") != 2 || !strings.Contains(report, "sibling") {
		t.Errorf("%s", report)
	}
}

func TestAReportOfNoSessionIsNotOfEverybody(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "told")
	d.families[0].Session = "" // of no session any more
	d.reg["somebody's"] = &trust.Client{ID: "somebody's", Spec: d.reg["told"].Spec}
	if _, err := d.Ended(t.Context(), nil, []store.Family{family("somebody's", "sid")}); err != nil {
		t.Fatal(err)
	}
	if status, report := d.get(d.Report(), again(d.leave(t))); status != http.StatusOK || strings.Contains(report, "somebody") {
		t.Errorf("%d %s", status, report)
	}
}

func TestAReportIsOfOneLogout(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "told")
	d.reg["earlier"] = &trust.Client{ID: "earlier", Spec: d.reg["told"].Spec}
	if _, err := d.Ended(t.Context(), nil, []store.Family{family("earlier", "sid")}); err != nil { // its access was withdrawn before
		t.Fatal(err)
	}
	d.bench.now = d.bench.now.Add(time.Minute)
	link := again(d.leave(t))
	if _, report := d.get(d.Report(), link); !strings.Contains(report, "told") || strings.Contains(report, "earlier") {
		t.Errorf("%s", report)
	}
	for name, bad := range map[string]string{
		"made up": logout.ReportPath + "?r=AAAA", "without": logout.ReportPath, "changed": link[:len(link)-2] + "AA", "twice": link + "&r=x",
	} {
		if status, text := d.get(d.Report(), bad); status != http.StatusBadRequest || strings.Contains(text, "<dt>") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	d.bench.now = d.bench.now.Add(2 * time.Hour)
	if status, text := d.get(d.Report(), link); status != http.StatusBadRequest || !strings.Contains(text, "This report is over") {
		t.Errorf("two hours later: %d %s", status, text)
	}
}

// deaf is a store that takes no deliveries.
type deaf struct{ store.Deliveries }

func (deaf) PutDeliveries(context.Context, []store.Delivery) error { return errors.New("down") }

func TestAnApplicationThatCannotBeToldIsNotSaidToBe(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "told")
	d.Deliveries.Store = deaf{d.bench.store}
	last := d.leave(t)
	if !strings.Contains(last, "could not be told") || strings.Contains(last, "is being told") || again(last) != "" {
		t.Errorf("%s", last)
	}
}
