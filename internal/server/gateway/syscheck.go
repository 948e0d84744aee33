package gateway

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"vidimus/internal/server/web"
)

// systemCheck answers SYSTEM_CHECK_OK when everything that identifications need works
// (chapter 16): each of the checks is really made, at most once a second for all who ask.
type systemCheck struct {
	gate   sync.Mutex
	made   time.Time
	broken error
}

// How long an answer is good for all, and how long a check may take.
const (
	checkAge  = time.Second
	checkTime = 5 * time.Second
)

func (g *Gateway) systemCheck(w http.ResponseWriter, r *http.Request) {
	err := g.checkNow(r.Context())
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if err != nil {
		web.FactsOf(r.Context()).Error = err
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = io.WriteString(w, "SYSTEM_CHECK_FAILED") // the client is gone
		return
	}
	_, _ = io.WriteString(w, "SYSTEM_CHECK_OK") // the client is gone
}

func (g *Gateway) checkNow(ctx context.Context) error {
	g.check.gate.Lock()
	defer g.check.gate.Unlock()
	if g.Clock.Now().Sub(g.check.made) < checkAge && !g.check.made.IsZero() {
		return g.check.broken
	}
	// Others wait for this answer: it must not depend on this client staying.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkTime)
	defer cancel()
	g.check.broken = nil
	for _, c := range g.Checks {
		if err := c.Ping(ctx); err != nil {
			g.check.broken = fmt.Errorf("%s: %w", c.Name, err)
			break
		}
	}
	g.check.made = g.Clock.Now() // those who waited meanwhile get this answer
	return g.check.broken
}
