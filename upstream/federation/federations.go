package federation

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"apostille/trust"
	"apostille/trust/xmlsec"
)

// Config of Federations. OnRefresh and OnChange may be nil.
type Config struct {
	// Dir is where the indexes lie; "" = nowhere: what was imported is forgotten at the end of the process.
	Dir    string
	Client func(roots *x509.CertPool, configured bool) *http.Client // see upstream/fetch; its limits are those of an aggregate
	Now    func() time.Time
	Log    *slog.Logger
	// Gentle: an aggregate is read at a quarter of the speed, so that a processor is left to who waits for an answer.
	Gentle bool
	// OnRefresh is told how each refresh ended, also one that found nothing new.
	OnRefresh func(Outcome)
	// OnChange is given the members when they are others than before. It is called by one goroutine at a time.
	OnChange func(trust.Directory)
}

// readingGC is the percentage by which garbage may grow over what lives while an aggregate is read. What it reads dies at once, and old and new
// members live together: with what suits a server's usual work this would take half as much memory again.
const readingGC = 100

// Outcome of a refresh.
type Outcome struct {
	Federation string
	Same       bool   // the aggregate did not change
	Header     Header // of the index in use; zero = none
	Err        error  // what is wrong with the new one; the last good one is in use
}

// Federations holds the members of all federations. Safe for concurrent use.
type Federations struct {
	cfg  Config
	mu   sync.Mutex // guards all
	all  map[string]*federation
	now  atomic.Pointer[directory]
	turn chan struct{} // one aggregate is read at a time: each costs memory and a processor
	tell sync.Mutex    // one OnChange at a time
}

// federation is one `[federation.ID]`.
type federation struct {
	id     string
	source Source
	index  *Index // nil = none yet
	query  *query // of MDQ

	checked  time.Time // when its source last gave or confirmed what is in use; zero = not yet
	tried    time.Time
	failures int
	err      error       // of the latest refresh
	dead     bool        // past validUntil, and said so
	skip     os.FileInfo // a stored index that is of no use
}

// New makes Federations without members: Replace says which there are, Run keeps them fresh.
func New(c Config) *Federations {
	m := &Federations{cfg: c, all: map[string]*federation{}, turn: make(chan struct{}, 1)}
	m.now.Store(&directory{clock: c.Now})
	return m
}

// Replace installs the sources of a new configuration, by federation ID. What is stored of them is read; nothing is fetched. A federation whose
// source did not change keeps its members.
func (m *Federations) Replace(sources map[string]Source) {
	m.tidy()
	m.mu.Lock()
	next := make(map[string]*federation, len(sources))
	for id, src := range sources {
		if had := m.all[id]; had != nil && had.source.equal(&src) {
			next[id] = had
			continue
		}
		f := &federation{id: id, source: src}
		if src.MDQ != "" {
			f.query = newQuery(m, id, src)
		}
		next[id] = f
		m.load(f)
	}
	m.all = next
	m.mu.Unlock()
	m.publish()
}

// tidy removes what processes that were killed left behind.
func (m *Federations) tidy() {
	left, _ := filepath.Glob(filepath.Join(m.cfg.Dir, ".federation-*")) // the pattern is good
	for _, path := range left {
		if info, err := os.Stat(path); m.cfg.Dir != "" && err == nil && m.cfg.Now().Sub(info.ModTime()) > leftBehind {
			_ = os.Remove(path) // the next start tries again
		}
	}
}

// leftBehind is older than any file that is still being written.
const leftBehind = 2 * time.Hour

// load reads what is stored of a federation, if its source vouches for it.
func (m *Federations) load(f *federation) {
	if m.cfg.Dir == "" || f.query != nil {
		return
	}
	x, err := openIndex(m.path(f.id))
	if errors.Is(err, os.ErrNotExist) {
		return
	}
	if err == nil {
		err = f.source.vouchedFor(&x.Header)
	}
	if err != nil {
		m.cfg.Log.Warn("stored members of a federation are not used", "federation", f.id, "reason", err.Error())
		return
	}
	f.index, f.checked, f.dead = x, x.info.ModTime(), false
}

func (m *Federations) path(id string) string {
	return filepath.Join(m.cfg.Dir, "federation-"+id+".index")
}

// publish makes the members of now those that are found.
func (m *Federations) publish() {
	m.tell.Lock()
	defer m.tell.Unlock()
	m.mu.Lock()
	d := &directory{clock: m.cfg.Now}
	for _, id := range sortedIDs(m.all) {
		f := m.all[id]
		d.parts = append(d.parts, part{id: id, index: f.index, query: f.query})
	}
	m.mu.Unlock()
	m.now.Store(d)
	if m.cfg.OnChange != nil {
		m.cfg.OnChange(d)
	}
}

// Directory is what trust.Registry finds members in, as they are now.
func (m *Federations) Directory() trust.Directory { return m.now.Load() }

// Refresh asks the source of a federation, and takes what it has if that can be relied on.
func (m *Federations) Refresh(ctx context.Context, id string) (Outcome, error) {
	select {
	case m.turn <- struct{}{}:
	case <-ctx.Done():
		return Outcome{}, ctx.Err()
	}
	defer func() { <-m.turn }()
	defer debug.SetGCPercent(debug.SetGCPercent(readingGC))
	m.mu.Lock()
	f := m.all[id]
	if f == nil || f.query != nil {
		m.mu.Unlock()
		return Outcome{}, fmt.Errorf("there is no aggregate of a federation %q", id)
	}
	src, last := f.source, f.index
	m.mu.Unlock()
	x, err := m.guarded(ctx, id, &src, last)
	if err != nil && ctx.Err() != nil {
		return Outcome{}, ctx.Err() // the end of the process says nothing of the federation
	}
	return m.settle(f, x, err), err
}

// guarded imports; a panic on what others wrote is an error.
func (m *Federations) guarded(ctx context.Context, id string, src *Source, last *Index) (x *Index, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic of type %T while it was read", p)
			var re runtime.Error
			if cause, ok := p.(error); ok && errors.As(cause, &re) {
				err = fmt.Errorf("panic while it was read: %w", re)
			}
		}
	}()
	x, err = m.take(ctx, id, src, last)
	if errors.Is(err, errSame) {
		return last, nil
	}
	return x, err
}

// take reads an aggregate into a new index.
func (m *Federations) take(ctx context.Context, id string, src *Source, last *Index) (*Index, error) {
	var before *Header
	if last != nil {
		before = &last.Header
	}
	in, err := m.open(ctx, src, before)
	if err != nil {
		return nil, err
	}
	defer in.file.Close()
	out, err := os.CreateTemp(m.cfg.Dir, ".federation-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(out.Name()) // fails after the rename, and then there is nothing left to remove
	defer out.Close()
	s := &stage{
		reader: reader{federation: id, language: src.Language, dev: src.Dev}, now: m.cfg.Now(), most: src.maxValidity(), file: out,
		header: Header{Source: src.name(), Dev: src.Dev, Keys: src.digests(), ETag: in.etag, Changed: in.changed},
	}
	if err := xmlsec.VerifyStream(&patient{ctx: ctx, in: in.file, rest: m.cfg.Gentle}, src.Keys, s); err != nil {
		return nil, err
	}
	if err := s.finish(last); err != nil {
		return nil, err
	}
	x := &Index{}
	if x.file, err = os.Open(out.Name()); err != nil {
		return nil, err
	}
	if m.cfg.Dir != "" {
		if err := replace(out.Name(), m.path(id)); err != nil {
			return nil, err
		}
	}
	x.Header, x.heads = s.header, s.heads
	x.info, err = x.file.Stat()
	return x, err
}

// replace puts a file in the place of another, durably.
func replace(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(to))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// settle notes how a refresh ended.
func (m *Federations) settle(f *federation, x *Index, err error) Outcome {
	m.mu.Lock()
	now := m.cfg.Now()
	out := Outcome{Federation: f.id, Err: err, Same: err == nil && x == f.index}
	f.tried, f.err = now, err
	changed := err == nil && x != f.index && m.all[f.id] == f
	if err != nil {
		f.failures++
	} else {
		f.failures, f.checked = 0, now
		if f.index = x; m.cfg.Dir != "" {
			_ = os.Chtimes(m.path(f.id), time.Time{}, now) // its age after a restart; else it looks older than it is
		}
		f.dead = false
	}
	if f.index != nil {
		out.Header = f.index.Header
	}
	m.mu.Unlock()
	if changed {
		m.publish()
	}
	m.report(&out)
	return out
}

func (m *Federations) report(o *Outcome) {
	switch {
	case o.Err != nil:
		m.cfg.Log.Error("a federation's metadata were not taken; the last good ones stay", "federation", o.Federation, "error", o.Err.Error(),
			"members", o.Header.Members, "valid_until", o.Header.Until)
	case !o.Same:
		m.cfg.Log.Info("a federation's metadata were taken", "federation", o.Federation, "members", o.Header.Members, "change", o.Header.Change.String(),
			"left_out", o.Header.LeftOut, "valid_until", o.Header.Until)
	}
	if m.cfg.OnRefresh != nil {
		m.cfg.OnRefresh(*o)
	}
}

func sortedIDs(all map[string]*federation) []string { return slices.Sorted(maps.Keys(all)) }
