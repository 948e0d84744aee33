package service_test

import (
	"strings"
	"testing"
	"time"

	"vidimus/internal/domain/company"
	"vidimus/internal/domain/delivery"
)

// TestAHookUnderWayDuringADeletionIsToldAsItWent deletes in the middle of a try.
func TestAHookUnderWayDuringADeletionIsToldAsItWent(t *testing.T) {
	for name, try := range map[string]struct {
		status  int
		state   delivery.State
		problem string
	}{
		"it arrived":   {200, delivery.Delivered, ""},
		"refused":      {500, delivery.Superseded, delivery.Deleted},
		"no answer":    {0, delivery.Superseded, delivery.DeletedUnderWay},
		"given up for": {400, delivery.Superseded, delivery.Deleted},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(b *bench) {
				b.subscribe(company.Policy{}, company.Final)
				b.net.answer = func(string, int) (int, string) {
					time.Sleep(5 * time.Second)
					return try.status, map[bool]string{true: "timeout"}[try.status == 0]
				}
				stop := b.run()
				c := b.finished("1")
				time.Sleep(2 * time.Second)
				b.ok(b.identify.Delete(b.Context(), bank, "1", "test"))
				if d := b.deliveries(c)[0]; d.State != delivery.Superseded || d.Problem != delivery.DeletedUnderWay {
					t.Errorf("while nobody knows: %+v", d)
				}
				time.Sleep(time.Minute)
				stop()
				if d := b.deliveries(c)[0]; d.State != try.state || d.Problem != try.problem || d.Status != try.status || d.Tries != 1 || len(b.net.hooks()) != 1 {
					t.Errorf("%+v", d)
				}
				if told := strings.Contains(b.log.String(), "a webhook arrived while its identification was being deleted"); told != (try.status == 200) {
					t.Errorf("the log says %s", b.log)
				}
			})
		})
	}
}
