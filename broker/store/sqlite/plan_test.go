package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"apostille/broker/store"
)

// Every look-up finds its rows through an index, whatever the tables hold: SQLite says so for each statement the store uses.
func TestNoStatementWalksThroughATable(t *testing.T) {
	t.Parallel()
	s := openTest(t, filepath.Join(t.TempDir(), "x.db"), nil)
	useEverything(t, s)
	queries := map[string]bool{}
	s.reading.kept.Range(func(query, _ any) bool { queries[query.(string)] = true; return true })
	if err := s.Close(); err != nil { // the writer is done with its statements
		t.Fatal(err)
	}
	for query := range s.prepared.kept {
		queries[query] = true
	}
	for _, b := range brooms {
		queries[b.query] = true
	}
	if len(queries) < 40 {
		t.Errorf("only %d statements were seen", len(queries))
	}
	again := openTest(t, filepath.Join(t.TempDir(), "y.db"), nil)
	for query := range queries {
		if strings.HasSuffix(query, " one") { // SAVEPOINT and its like
			continue
		}
		args := make([]any, strings.Count(query, "?"))
		if n := strings.Count(query, "?1"); n > 0 {
			args = make([]any, 6)
			for n := 6; n > 0 && !strings.Contains(query, "?"+string(rune('0'+n))); n-- {
				args = args[:n-1]
			}
		}
		rows, err := again.write.Query(`EXPLAIN QUERY PLAN `+query, args...)
		if err != nil {
			t.Errorf("%v: %s", err, query)
			continue
		}
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Error(err)
			}
			// "SCAN s" is of a subquery, whose rows were searched for; all deliveries are listed in the order of an index.
			allowed := detail == "SCAN s" || detail == "SCAN CONSTANT ROW" || strings.HasSuffix(detail, "INDEX deliveries_created")
			if strings.HasPrefix(detail, "SCAN") && !allowed {
				t.Errorf("%s: %s", detail, query)
			}
		}
		if err := rows.Close(); err != nil {
			t.Error(err)
		}
	}
}

// useEverything makes each statement of the store known.
func useEverything(t *testing.T, s *Store) {
	t.Helper()
	ctx, until := t.Context(), far()
	session := store.Session{ID: "s", Created: until, IdleUntil: until, Until: until, Identities: []store.Identity{{Trust: "t", Sub: "a", SID: "x", Until: until}}}
	steps := []error{
		beginFamily(s, "f"),
		s.PutPending(ctx, "login", "a", store.Pending{Value: []byte("x"), Until: until}),
		s.CreateSession(ctx, sum("s"), session),
		s.TouchSession(ctx, sum("s"), until, until),
		s.PutConsent(ctx, store.Consent{Sub: "a", Client: "c"}),
		s.PutOpaque(ctx, store.Opaque{Hash: sum("o"), Until: until}),
		s.RevokeToken(ctx, "jti", until),
		s.PutDeliveries(ctx, []store.Delivery{{ID: "d"}}),
	}
	note := func(_ any, err error) { steps = append(steps, err) }
	note2 := func(_, _ any, err error) { steps = append(steps, err) }
	note2(s.PeekPending(ctx, "login", "a"))
	note2(s.TakePending(ctx, "login", "a"))
	note2(s.Code(ctx, sum("c")))
	note2(s.Family(ctx, "f"))
	_, _, _, err := s.Refresh(ctx, sum("f"))
	note(nil, err)
	for _, g := range []int{0, 1, 0} {
		r := store.Rotation{Old: sum(generation("f", g)), Client: "portal", Next: store.Refresh{Hash: sum(generation("f", g+1)), Until: until}, Grace: time.Minute}
		note2(s.Rotate(ctx, r))
	}
	note(s.UpdateFamily(ctx, "f", nil, until))
	for _, q := range []store.FamilyQuery{
		{ID: "f"}, {Session: "s"}, {Client: "c"}, {Trust: "t"}, {Sub: "a"}, {Sub: "a", Client: "c"}, {Trust: "t", Sub: "a"}, {Session: "s", Trust: "t", Sub: "a"},
	} {
		note(s.ListFamilies(ctx, q, 1))
		note(s.EndFamilies(ctx, q, "revoked"))
	}
	source := store.Source{Hash: sum("u"), Session: "s", Trust: "t", Value: []byte("x"), Until: until}
	note(s.PutSource(ctx, source, nil))
	note(s.PutSource(ctx, source, source.Value))
	note2(s.Source(ctx, sum("u")))
	note2(s.Session(ctx, sum("s")))
	note(s.RenewSession(ctx, sum("s"), sum("t"), session.Identities[0], until, until))
	for _, q := range []store.SessionQuery{{Trust: "t", Sub: "a"}, {Trust: "t", SID: "x"}, {Sub: "a"}, {Trust: "t"}, {ID: "s"}} {
		note(s.ListSessions(ctx, q, 1))
		note2(s.EndSessions(ctx, q))
	}
	note2(s.Consent(ctx, "a", "c"))
	note(s.ListConsents(ctx, "a"))
	note(s.WithdrawConsent(ctx, "a", "c"))
	note2(s.Opaque(ctx, sum("o")))
	note(s.TokenRevoked(ctx, "jti", "f"))
	note(s.DueDeliveries(ctx, until, 1))
	note(s.ListDeliveries(ctx, "s", 1))
	note(s.ListDeliveries(ctx, "", 1))
	note(nil, s.UpdateDelivery(ctx, store.Delivery{ID: "d"}))
	for i, err := range steps {
		if err != nil {
			t.Errorf("step %d: %v", i, err)
		}
	}
}
