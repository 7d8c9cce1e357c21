package federation

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"
)

// sweepEvery is how often Run looks for what is due.
const sweepEvery = time.Second

// Pauses after refreshes that failed: doubled from the first to the last.
const (
	firstPause = time.Minute
	lastPause  = time.Hour
)

// Run refreshes what is due, follows what a command beside the server has stored, and notices what expires, until ctx ends.
func (m *Federations) Run(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	var under sync.WaitGroup
	defer under.Wait()
	for {
		m.sweep(ctx, &under)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// sweep starts at most one refresh.
func (m *Federations) sweep(ctx context.Context, under *sync.WaitGroup) {
	now := m.cfg.Now()
	m.mu.Lock()
	var due string
	changed := false
	for id, f := range m.all {
		changed = m.follow(f) || m.expire(f, now) || changed
		if f.query == nil && !now.Before(f.due()) && (due == "" || id < due) {
			due = id
		}
	}
	m.mu.Unlock()
	if changed {
		m.publish()
	}
	if due != "" && len(m.turn) == 0 {
		under.Go(func() { _, _ = m.Refresh(ctx, due) }) // how it ended was reported
	}
}

// due is when to ask the source again.
func (f *federation) due() time.Time {
	if f.failures > 0 {
		return f.tried.Add(min(firstPause<<min(f.failures-1, 10), lastPause))
	}
	if f.index == nil {
		return time.Time{}
	}
	every := f.source.refresh()
	if c := f.index.CacheFor; c > 0 {
		every = min(every, c)
	}
	return f.checked.Add(max(every, leastRefresh))
}

// follow takes what another process has stored: a command, or a server on the same folder.
func (m *Federations) follow(f *federation) (changed bool) {
	if m.cfg.Dir == "" || f.query != nil {
		return false
	}
	info, err := os.Stat(m.path(f.id))
	if err != nil || f.index != nil && os.SameFile(info, f.index.info) {
		return false
	}
	if f.skip != nil && os.SameFile(info, f.skip) {
		return false // it was of no use before
	}
	had := f.index
	if m.load(f); f.index == had {
		f.skip = info
		return false
	}
	f.failures, f.err = 0, nil
	return true
}

// expire says once that the last good metadata are past their validUntil. From then on no member of them is found.
func (m *Federations) expire(f *federation, now time.Time) (changed bool) {
	if f.index == nil || f.dead || now.Before(f.index.Until) {
		return false
	}
	f.dead = true
	m.cfg.Log.Error("a federation's metadata have expired: none of its members is found", "federation", f.id, "valid_until", f.index.Until, "checked", f.checked)
	return true
}

// patient is a reader that ends with a context. After each read it rests for a multiple of what the last one took to be read: while a server reads an
// aggregate, a processor is left to those who wait for an answer.
type patient struct {
	ctx  context.Context
	in   io.ReadSeeker
	rest bool
	last time.Time
}

func (p *patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	if p.rest && !p.last.IsZero() {
		time.Sleep(min(restFor*time.Since(p.last), maxRest))
	}
	p.last = time.Now()
	return p.in.Read(b)
}

// restFor is that multiple. maxRest bounds one rest: a machine that slept must not be waited for.
const (
	restFor = 3
	maxRest = 10 * time.Millisecond
)

func (p *patient) Seek(offset int64, whence int) (int64, error) {
	return p.in.Seek(offset, whence)
}

// Status is what is known of one federation, for people.
type Status struct {
	Federation string
	Source     string
	Header     Header        // zero = nothing was taken yet, or it is asked on demand
	Checked    time.Time     // when its source last gave or confirmed that; zero = never
	Age        time.Duration // since then
	Serving    bool          // its members are found
	Err        error         // of the latest refresh; nil = it succeeded, or there was none
}

// Status lists the federations by ID.
func (m *Federations) Status() []Status {
	now := m.cfg.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	list := make([]Status, 0, len(m.all))
	for _, id := range sortedIDs(m.all) {
		f := m.all[id]
		s := Status{Federation: id, Source: f.source.name(), Checked: f.checked, Err: f.err, Serving: f.query != nil}
		if f.index != nil {
			s.Header, s.Serving = f.index.Header, now.Before(f.index.Until)
		}
		if !f.checked.IsZero() {
			s.Age = now.Sub(f.checked)
		}
		list = append(list, s)
	}
	return list
}

// errUnknown: no federation knows the entityID now.
var errUnknown = errors.New("no federation has valid metadata of it now")
