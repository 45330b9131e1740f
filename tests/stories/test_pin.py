"""Roles guarded by PINs: the right one opens, wrong ones are limited, listeners need none."""

from tests.harness.story import Story


async def test_moderators_pin_opens_the_conference(story: Story) -> None:
    line = await story.line(moderator_pin="471100")
    listener = await story.dial("listener", line)
    await listener.call.hears("sound")
    await listener.press("1")
    await listener.call.hears("music")
    moderator = await story.dial("moderator", line)
    await moderator.call.hears("sound")
    await moderator.press("3")
    await moderator.press("471100#")
    await story.hear({"listener": "moderator", "moderator": "silence"}, within_s=15)


async def test_wrong_pin_does_not_open_and_the_right_one_still_does(story: Story) -> None:
    line = await story.line(speaker_pin="123456", music="silence")
    speaker = await story.dial("speaker", line)
    await speaker.call.hears("sound")
    await speaker.press("2")
    await speaker.press("123457#")
    mark = await speaker.call.hears("silence")
    await speaker.call.hears("sound", since=mark)
    await speaker.press("123456#")
    await story.hear({"speaker": "silence"}, within_s=15)
    moderator = await story.dial("moderator", line)
    await moderator.call.hears("sound")
    await moderator.press("3")
    await story.hear({"speaker": "moderator", "moderator": "speaker"}, within_s=15)


async def test_guessing_ends_the_call(story: Story) -> None:
    line = await story.line(moderator_pin="471100")
    guesser = await story.dial("guesser", line)
    await guesser.call.hears("sound")
    await guesser.press("3")
    for guess in ("000000#", "000001#", "000002#"):
        await guesser.press(guess)
    await story.all_ended("guesser", within_s=30)
