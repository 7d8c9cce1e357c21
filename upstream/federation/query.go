package federation

import (
	"bufio"
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"apostille/trust"
	"apostille/trust/xmlsec"
	"apostille/upstream/fetch"
)

// How a metadata query service is asked.
const (
	queryWait   = 5 * time.Second // an answer may take
	queryRetry  = time.Minute     // after one that was of no use
	queryRate   = 5               // requests a second, whoever causes them
	queryBurst  = 20
	maxAnswers  = 5000 // members and unknown names that are kept
	maxLearnt   = 20_000
	leastAnswer = 5 * time.Minute
)

// query asks for one member at a time (MDQ, draft-young-md-query §3). What it answered is kept until it is due, and serves until its validUntil
// while the service does not answer. The names of members are kept on disk: after a restart a member is known by its ID again.
type query struct {
	m      *Federations
	id     string
	source Source
	bucket *rate.Limiter

	mu      sync.Mutex
	answers map[string]*answer // by entityID
	names   map[string]string  // member ID → entityID
}

// answer is what became of one question.
type answer struct {
	member *trust.Member // nil = unknown there, or nothing that can be used
	opened *opened
	until  time.Time // of its metadata
	due    time.Time
	flight chan struct{} // closed when the question under way is answered; nil = none is
}

func newQuery(m *Federations, id string, src Source) *query {
	q := &query{m: m, id: id, source: src, bucket: rate.NewLimiter(queryRate, queryBurst), answers: map[string]*answer{}, names: map[string]string{}}
	q.remembered()
	return q
}

// known finds a member by its ID, if its name was ever learnt. A valid answer is not asked for again: decisions, which find trusts by ID, wait for
// nobody. Whatever is verified is found by its entityID, and that asks.
func (q *query) known(id string, now time.Time) (*trust.Member, bool) {
	q.mu.Lock()
	name, ok := q.names[id]
	a := q.answers[name]
	if ok && a != nil && a.member != nil && now.Before(a.until) {
		defer q.mu.Unlock()
		return a.member, true
	}
	q.mu.Unlock()
	if !ok {
		return nil, false
	}
	return q.ask(name)
}

// ask finds a member by its entityID.
func (q *query) ask(entityID string) (*trust.Member, bool) {
	a := q.current(entityID)
	if a == nil || a.member == nil || !q.m.cfg.Now().Before(a.until) {
		return nil, false
	}
	return a.member, true
}

func (q *query) opened(entityID string) (*opened, error) {
	if _, ok := q.ask(entityID); !ok {
		return nil, errUnknown
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if a := q.answers[entityID]; a != nil && a.opened != nil {
		return a.opened, nil
	}
	return nil, errUnknown
}

// current is the answer of now. One that is due is asked for again; callers wait for it together.
func (q *query) current(entityID string) *answer {
	if entityID == "" || len(entityID) > maxEntityID {
		return nil
	}
	q.mu.Lock()
	a := q.answers[entityID]
	if a == nil {
		a = q.room(entityID)
	}
	if a.flight == nil && !q.m.cfg.Now().Before(a.due) && q.bucket.AllowN(q.m.cfg.Now(), 1) {
		a.flight = make(chan struct{})
		go q.fly(entityID, a.flight)
	}
	flight := a.flight
	q.mu.Unlock()
	if flight != nil {
		<-flight // at most queryWait
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := q.answers[entityID]; now != nil {
		copied := *now
		return &copied
	}
	return nil
}

// room makes place for an answer. All are forgotten when there are too many: strangers can ask for names that do not exist.
func (q *query) room(entityID string) *answer {
	if len(q.answers) >= maxAnswers {
		q.answers = map[string]*answer{}
	}
	a := &answer{}
	q.answers[entityID] = a
	return a
}

// fly asks, and notes the answer. A member that is valid stays while the service fails.
func (q *query) fly(entityID string, done chan struct{}) {
	defer close(done)
	ctx, cancel := context.WithTimeout(context.Background(), queryWait)
	defer cancel()
	found, err := q.fetch(ctx, entityID)
	if err != nil {
		q.m.cfg.Log.Warn("a federation gave no metadata of a member", "federation", q.id, "entity_id", entityID, "error", err.Error())
	}
	q.m.mu.Lock()
	if f := q.m.all[q.id]; f != nil && f.query == q {
		if f.err = err; err == nil {
			f.checked = q.m.cfg.Now()
		}
	}
	q.m.mu.Unlock()
	q.mu.Lock()
	defer q.mu.Unlock()
	a := q.answers[entityID]
	if a == nil {
		a = q.room(entityID)
	}
	a.flight = nil
	if err == nil {
		a.member, a.opened, a.until, a.due = found.member, found.opened, found.until, found.due
		q.learn(entityID)
		return
	}
	a.due = q.m.cfg.Now().Add(queryRetry)
	var status *fetch.StatusError
	if errors.As(err, &status) && status.Code == 404 { // the service knows it no more: draft-young-md-query §3.2
		a.member, a.opened = nil, nil
	}
}

// fetch asks for one entity, and believes what is signed.
func (q *query) fetch(ctx context.Context, entityID string) (_ *answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errors.New("panic while it was read")
		}
	}()
	link := strings.TrimSuffix(q.source.MDQ, "/") + "/entities/" + url.PathEscape(entityID)
	b, _, err := fetch.Get(ctx, q.m.cfg.Client(q.source.Roots, true), link, "application/samlmetadata+xml")
	if err != nil {
		return nil, err
	}
	root, err := xmlsec.Parse(b)
	if err != nil {
		return nil, err
	}
	signed, err := xmlsec.Verify(root, q.source.Keys)
	if err != nil {
		return nil, err
	}
	return q.read(signed.Element(), entityID)
}

// read takes the entity that was asked for, and no other.
func (q *query) read(e *xmlsec.Element, entityID string) (*answer, error) {
	now := q.m.cfg.Now()
	if !e.Is(md("EntityDescriptor")) {
		return nil, errors.New("expected one EntityDescriptor")
	}
	if id, _ := e.Attr("entityID"); id != entityID {
		return nil, errors.New("it is about another entity")
	}
	r := reader{federation: q.id, language: q.source.Language, dev: q.source.Dev}
	in, why := r.entity(e)
	if why != "" {
		return nil, errors.New(string(why))
	}
	switch {
	case in.until.IsZero():
		return nil, errNoUntil
	case !now.Before(in.until):
		return nil, errExpired
	case in.until.Sub(now) > q.source.maxValidity():
		return nil, errFarUntil
	}
	every, err := duration(e, "cacheDuration")
	if err != nil {
		return nil, err
	}
	if every == 0 || every > q.source.refresh() {
		every = q.source.refresh()
	}
	return &answer{member: &in.member, opened: in.detail.open(), until: in.until, due: now.Add(max(every, leastAnswer))}, nil
}

// remembered reads the names that were learnt.
func (q *query) remembered() {
	if q.m.cfg.Dir == "" {
		return
	}
	f, err := os.Open(q.path())
	if err != nil {
		return // the first start
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan() && len(q.names) < maxLearnt; {
		q.names[trust.MemberID(q.id, s.Text())] = s.Text()
	}
}

// learn keeps a member's name.
func (q *query) learn(entityID string) {
	id := trust.MemberID(q.id, entityID)
	if _, had := q.names[id]; had || len(q.names) >= maxLearnt {
		return
	}
	q.names[id] = entityID
	if q.m.cfg.Dir == "" {
		return
	}
	f, err := os.OpenFile(q.path(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(entityID + "\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		q.m.cfg.Log.Warn("the name of a member is not kept", "federation", q.id, "error", err.Error())
	}
}

func (q *query) path() string { return q.m.path(q.id) + ".names" }
