package oidc

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"apostille/upstream/keys"
)

// Ages of a discovery document.
const (
	discoveryMaxAge   = 15 * time.Minute // without its upstream being asked again
	discoveryRefresh  = 10 * time.Minute // asked again in the background from here on
	discoveryMaxStale = 24 * time.Hour   // while the upstream does not answer

	discoveryTimeout = 20 * time.Second

	// After a failed fetch, doubling: so that people who try upstreams that are down leave room for those who try others.
	discoveryPause    = 10 * time.Second
	discoveryPauseMax = 2 * time.Minute

	// How long a caller waits, counted from the start of the fetch: many callers of a slow upstream cost one such wait together.
	waitFirst   = 5 * time.Second // nothing to serve
	waitOverdue = 2 * time.Second // a document past its age

	maxFetches = 64 // at one time, all upstreams together
)

var (
	errNotYet = errors.New("the discovery document did not come in time")
	errBusy   = errors.New("too many discovery documents are being fetched")
)

// discoveries are the documents of all trusts. The zero value is empty.
type discoveries struct {
	mu      sync.Mutex
	byTrust map[string]*discovery
	under   int // fetches under way
}

// discovery is what is known of one trust's document. discoveries.mu guards it.
type discovery struct {
	issuer string
	roots  *x509.CertPool

	good      *metadata // nil = none
	fetched   time.Time
	flight    *flight // under way; nil = none
	failures  int     // in a row
	notBefore time.Time
	lastErr   error
}

// flight is one fetch; callers that need it share it.
type flight struct {
	done    chan struct{}
	started time.Time // on the real clock: it bounds waits
}

// discover returns the metadata of an upstream: from memory while they are fresh, else from the upstream, else from memory while it does
// not answer.
func (rp *RelyingParty) discover(ctx context.Context, p *party) (*metadata, error) {
	good, f, patience, err := rp.look(p)
	if f == nil {
		return good, err
	}
	wait(ctx, f, patience)
	d := &rp.discoveries
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.byTrust[p.trust.ID]
	switch {
	case e.is(p) && e.good != nil:
		return e.good, nil
	case good != nil:
		return good, nil
	case e.is(p) && e.lastErr != nil && e.flight == nil:
		return nil, e.lastErr
	}
	return nil, errNotYet
}

// look says what serves, and what to wait for at most how long; flight nil = do not wait.
func (rp *RelyingParty) look(p *party) (good *metadata, f *flight, patience time.Duration, err error) {
	d := &rp.discoveries
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.entry(p)
	age := p.now.Sub(e.fetched)
	if age > discoveryMaxStale {
		e.good = nil
	}
	if e.good != nil && age < discoveryRefresh {
		return e.good, nil, 0, nil
	}
	if err = rp.start(p, e); err != nil && e.good == nil {
		return nil, nil, 0, err
	}
	switch {
	case e.good == nil:
		return nil, e.flight, waitFirst, nil
	case age < discoveryMaxAge || e.flight == nil:
		return e.good, nil, 0, nil
	}
	return e.good, e.flight, waitOverdue, nil
}

// entry finds the entry of a trust. One whose issuer or roots were configured anew starts empty.
func (d *discoveries) entry(p *party) *discovery {
	if d.byTrust == nil {
		d.byTrust = map[string]*discovery{}
	}
	e := d.byTrust[p.trust.ID]
	if !e.is(p) {
		e = &discovery{issuer: p.trust.Spec.Issuer, roots: p.cfg.Roots}
		d.byTrust[p.trust.ID] = e
	}
	return e
}

func (e *discovery) is(p *party) bool {
	return e != nil && e.issuer == p.trust.Spec.Issuer && e.roots.Equal(p.cfg.Roots)
}

// start begins a fetch unless one is under way; the error says why none may begin now.
func (rp *RelyingParty) start(p *party, e *discovery) error {
	d := &rp.discoveries
	switch {
	case e.flight != nil:
		return nil
	case p.now.Before(e.notBefore):
		return e.lastErr
	case d.under >= maxFetches:
		return errBusy
	}
	d.under++
	e.flight = &flight{done: make(chan struct{}), started: time.Now()}
	go rp.fly(p, e, e.flight)
	return nil
}

// fly fetches once and lets the waiting go. It outlives its callers, and ends with its own time.
func (rp *RelyingParty) fly(p *party, e *discovery, f *flight) {
	ctx, cancel := context.WithTimeout(context.Background(), discoveryTimeout)
	defer cancel()
	m, err := rp.fetchMetadata(ctx, p)
	now := rp.Now()
	if err != nil {
		rp.Log.Warn("discovery document not fetched", slog.String("trust", p.trust.ID), slog.Any("error", err))
	}
	d := &rp.discoveries
	d.mu.Lock()
	defer d.mu.Unlock()
	d.under--
	e.flight = nil
	if e.lastErr = err; err != nil {
		e.notBefore = now.Add(min(discoveryPauseMax, discoveryPause<<min(e.failures, 8)))
		e.failures++
	} else {
		e.good, e.fetched, e.failures = m, now, 0
	}
	close(f.done)
}

func (rp *RelyingParty) fetchMetadata(ctx context.Context, p *party) (m *metadata, err error) {
	defer func() {
		if v := recover(); v != nil {
			rp.Log.Error("panic recovered", slog.String("while", "reading a discovery document"), slog.String("stack", string(debug.Stack())))
			m, err = nil, fmt.Errorf("panic while reading the discovery document of %s", p.trust.Spec.Issuer)
		}
	}()
	doc, err := keys.Discover(ctx, rp.Client(p.cfg.Roots, true), p.trust.Spec.Issuer)
	if err != nil {
		return nil, err
	}
	return readMetadata(doc, p.trust.Spec.Issuer)
}

func wait(ctx context.Context, f *flight, patience time.Duration) {
	timer := time.NewTimer(patience - time.Since(f.started))
	defer timer.Stop()
	select {
	case <-f.done:
	case <-timer.C:
	case <-ctx.Done():
	}
}
