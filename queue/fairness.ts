/**
 * Start-time fair queueing with equal weights (Goyal, Vin, Cheng: SIGCOMM 1996), in SQL. A task gets its turn when it is queued:
 * the next of its tenant, or, where the queue has passed that, the turn that the queue is at. Tasks are claimed by their turns, so
 * of two tenants that both have tasks waiting neither is ever more than two tasks ahead, however many the other has; and a claim
 * stays one search of an index. The numbers live in `tenants`, which triggers keep. Priorities are apart: each has its own turns.
 */

/**
 * Where each priority's queue is: the lowest turn that waits, or, where none does, the highest that was given. A table expression
 * with the columns priority, waiting, turn.
 */
export const QUEUE = `
  queue AS MATERIALIZED (
    SELECT priority, sum(waiting) AS waiting, coalesce(
      (SELECT turn FROM tasks
        WHERE state = 'queued' AND attempt = 0 AND tasks.priority = tenants.priority
        ORDER BY turn LIMIT 1),
      max(turn)) AS turn
    FROM tenants GROUP BY priority
  )`;
