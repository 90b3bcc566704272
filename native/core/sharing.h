// How passes over matrices are shared out among a team, and cut into pieces between which a call may be stopped.
// A number never depends on where the cuts are.
#pragma once

#include <algorithm>

#include "core/pool.h"
#include "core/stop.h"

namespace chainrule {

constexpr double shared_work = 2e6;           // multiplications: below this a product isn't worth sharing out
constexpr long shared_numbers = 16384;        // the same for passes over numbers
constexpr double longest_work = 2.5e8;        // multiplications that are done without looking whether to stop
constexpr long longest_numbers = 1L << 24;    // numbers, the same

inline long rounded(long n, long multiple) { return (n + multiple - 1) / multiple * multiple; }

// each(task, thread) for every task, until the call is stopped.
template <class F>
void share_tasks(Team& team, Stop* stop, long tasks, F&& each) {
    team.share(tasks, [&](long task, int thread) {
        if (!stop || !stop->now()) each(task, thread);
    });
}

// each(row_begin, row_end) over stretches of rows.
template <class F>
void share_rows(Team& team, Stop* stop, long rows, long numbers_in_row, F&& each) {
    const long numbers = rows * numbers_in_row;
    if (numbers < shared_numbers || (team.size() == 1 && numbers < longest_numbers)) return each(0L, rows);
    const long fair = rounded(rows / (2 * team.size()) + 1, 16);
    const long stretch = std::max(std::min(fair, longest_numbers / numbers_in_row / 16 * 16), 16L);
    share_tasks(team, stop, (rows + stretch - 1) / stretch,
                [&](long task, int) { each(task * stretch, std::min(rows, (task + 1) * stretch)); });
}

// each(column_begin, column_end) over stretches of columns, at most `vectors` of `lanes` wide.
template <class F>
void share_columns(Team& team, Stop* stop, long rows, long columns, long vectors, long lanes, F&& each) {
    if (rows * columns < shared_numbers) return each(0L, columns);
    const long fitting = longest_numbers / std::max(rows * lanes, 1L);
    const long stretch = lanes * std::clamp(fitting, 1L, vectors);
    share_tasks(team, stop, (columns + stretch - 1) / stretch,
                [&](long task, int) { each(task * stretch, std::min(columns, (task + 1) * stretch)); });
}

}  // namespace chainrule
