package fake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	maxHops        = 20
	maxPage        = 4 << 20 // bytes
	browserTimeout = 30 * time.Second
)

// Browser is a person's browser as far as logins need one: it follows redirects, keeps cookies per host and withholds them from
// cross-site requests as SameSite wants. It runs no script, except that SignIn and Settle post the forms that would post
// themselves. It is for one goroutine at a time.
type Browser struct {
	Transport http.RoundTripper
	Header    http.Header // sent with every request, such as Accept-Language
	// Stop, if set, keeps a redirect or form from being followed: the page then has that URL, status 0 and, of a form, its fields in
	// Posted. It stands for an application that has no server.
	Stop func(*url.URL) bool
	Now  func() time.Time // default time.Now; decides which cookies have expired

	jar map[string][]*http.Cookie // by host without port: cookies ignore ports (RFC 6265 §8.5)
}

// NewBrowser makes a browser without cookies. Without a transport it takes one that finds every name under .localhost at 127.0.0.1.
func NewBrowser(t http.RoundTripper) *Browser {
	if t == nil {
		t = &http.Transport{DialContext: dialLocalhost, DisableKeepAlives: true}
	}
	return &Browser{Transport: t, Header: http.Header{}, Now: time.Now, jar: map[string][]*http.Cookie{}}
}

func dialLocalhost(ctx context.Context, network, address string) (net.Conn, error) {
	if host, port, err := net.SplitHostPort(address); err == nil && strings.HasSuffix(host, ".localhost") {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// Page is what a browser shows.
type Page struct {
	URL    *url.URL
	Status int // 0 = Browser.Stop kept the browser from going there
	Header http.Header
	Body   string
	Posted url.Values // what would have been posted to a URL that Stop named
	Hops   []string   // every URL on the way here, this one last
}

// Open goes where a person typed to.
func (b *Browser) Open(rawURL string) (*Page, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	return b.navigate(visit{method: http.MethodGet, to: u})
}

// Follow goes where a link on a page leads; relative URLs are of the page.
func (b *Browser) Follow(from *Page, link string) (*Page, error) {
	u, err := from.URL.Parse(link)
	if err != nil {
		return nil, err
	}
	return b.navigate(visit{method: http.MethodGet, to: u, from: from.URL})
}

// Send submits a form of a page, with more fields or other values for those it has: that of the button, for one.
func (b *Browser) Send(from *Page, f Form, more url.Values) (*Page, error) {
	to, err := from.URL.Parse(f.Action)
	if err != nil {
		return nil, err
	}
	fields := url.Values{}
	for _, values := range []url.Values{f.Fields, more} {
		for name, v := range values {
			fields[name] = v
		}
	}
	v := visit{method: http.MethodGet, to: to, from: from.URL}
	if f.Method == http.MethodPost {
		v.method, v.form = http.MethodPost, fields
	} else {
		target := *to
		target.RawQuery = fields.Encode()
		v.to = &target
	}
	return b.navigate(v)
}

// SignIn presses a person's button on the page of a Provider ("" cancels), and settles.
func (b *Browser) SignIn(at *Page, username string) (*Page, error) {
	for _, f := range at.Forms() {
		if slices.ContainsFunc(f.Buttons, func(btn Button) bool { return btn.Name == "person" && btn.Value == username }) {
			next, err := b.Send(at, f, url.Values{"person": {username}})
			if err != nil {
				return nil, err
			}
			return b.Settle(next)
		}
	}
	return nil, fmt.Errorf("fake: %s has no button for %q", at.URL.Host, username)
}

// Settle posts forms that post themselves in a browser with scripts (OAuth 2.0 Form Post Response Mode), until a page has none.
func (b *Browser) Settle(at *Page) (*Page, error) {
	for range maxHops {
		forms := at.Forms()
		if at.Status != http.StatusOK || len(forms) != 1 || !at.postsItself() {
			return at, nil
		}
		hops := at.Hops
		next, err := b.Send(at, forms[0], nil)
		if err != nil {
			return nil, err
		}
		next.Hops = append(slices.Clone(hops), next.Hops...)
		at = next
	}
	return nil, errors.New("fake: forms without end")
}

// visit is one navigation of the top-level frame.
type visit struct {
	method string
	to     *url.URL
	from   *url.URL // the page that began it; nil = the person did
	form   url.Values
	hops   []string
}

// navigate follows redirects. Who began a navigation stays the same on the way, as SameSite sees it.
func (b *Browser) navigate(v visit) (*Page, error) {
	for range maxHops {
		v.hops = append(v.hops, v.to.String())
		if b.Stop != nil && b.Stop(v.to) {
			return &Page{URL: v.to, Posted: v.form, Hops: v.hops}, nil
		}
		page, err := b.load(v)
		if err != nil {
			return nil, err
		}
		location := page.Header.Get("Location")
		if page.Status < 300 || page.Status > 399 || location == "" {
			return page, nil
		}
		to, err := v.to.Parse(location)
		if err != nil {
			return nil, err
		}
		if to.Fragment == "" {
			to.Fragment = v.to.Fragment
		}
		v.to = to
		if page.Status != http.StatusTemporaryRedirect && page.Status != http.StatusPermanentRedirect {
			v.method, v.form = http.MethodGet, nil
		}
	}
	return nil, errors.New("fake: redirects without end")
}

// load makes one request.
func (b *Browser) load(v visit) (*Page, error) {
	ctx, cancel := context.WithTimeout(context.Background(), browserTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, v.method, v.to.String(), strings.NewReader(v.form.Encode()))
	if err != nil {
		return nil, err
	}
	for name, values := range b.Header {
		r.Header[name] = values
	}
	if v.method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if v.from != nil {
			r.Header.Set("Origin", v.from.Scheme+"://"+v.from.Host)
		}
	}
	b.addCookies(r, v)
	res, err := b.Transport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxPage))
	if err != nil {
		return nil, err
	}
	b.keepCookies(v.to, res.Cookies())
	return &Page{URL: v.to, Status: res.StatusCode, Header: res.Header, Body: string(body), Hops: v.hops}, nil
}
